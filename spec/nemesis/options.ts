import { parseArgs } from 'node:util'
import { kinds, type Kind } from './kinds.ts'

export const USAGE = `npm run nemesis -- [options]

Real servers under real faults: kill, pause, cut, one-way cut, packet loss, clock jump, full disk, failing fsync.

  --minutes M     how long the faults go on, in all (default 5)
  --nodes 3|5     servers; without it half of the time with three, then half with five
  --seed N        the seed of the schedule and of the clients (default 1)
  --only KIND[,…] only these faults, of ${kinds.join(', ')}
  --loopback      no namespaces: servers on 127.0.0.1, without the faults that need root
  --json          ends with one line of JSON
  --help          this text

It needs root, and on Debian: apt-get update && apt-get install -y \\
  iproute2 iptables libfaketime gcc libc6-dev util-linux e2fsprogs mount
What is missing is left out, and said. Exit code: 0 clean, 1 wrong, 2 not tested.`

export interface Options {
  readonly minutes: number
  /** The sizes of the clusters that are tried, one after the other. */
  readonly sizes: readonly number[]
  readonly seed: number
  readonly only: readonly Kind[]
  readonly loopback: boolean
  readonly json: boolean
}

/** What the command line asks for, or `undefined` when it asks for help. Throws for what it cannot mean. */
export function parse(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '5' },
      nodes: { type: 'string' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      loopback: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    minutes: minutesOf(values.minutes),
    sizes: sizesOf(values.nodes),
    seed: seedOf(values.seed),
    only: values.only?.split(',').map(kindOf) ?? kinds,
    loopback: values.loopback,
    json: values.json,
  }
}

function minutesOf(text: string): number {
  const minutes = Number(text)
  if (minutes > 0 && minutes <= 24 * 60) return minutes
  throw new Error(`--minutes is "${text}": it should be more than 0 and at most 1440`)
}

function sizesOf(text: string | undefined): readonly number[] {
  if (text === undefined) return [3, 5]
  if (text === '3' || text === '5') return [Number(text)]
  throw new Error(`--nodes is "${text}": it should be 3 or 5`)
}

function seedOf(text: string): number {
  const seed = Number(text)
  if (/^\d+$/.test(text) && seed < 2 ** 32) return seed
  throw new Error(`--seed is "${text}": it should be a whole number below 2 ** 32`)
}

function kindOf(name: string): Kind {
  const kind = kinds.find((it) => it === name)
  if (kind !== undefined) return kind
  throw new Error(`--only names "${name}": it should be of ${kinds.join(', ')}`)
}
