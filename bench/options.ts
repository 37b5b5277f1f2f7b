import { parseArgs } from 'node:util'
import type { Effort, Suite } from './suite.ts'
import { suites } from './suites.ts'

const names = (some: (suite: Suite) => boolean): string =>
  suites
    .filter(some)
    .map(({ name }) => name)
    .join(', ')

export const USAGE = `npm run bench -- [SUITE…] [options]

  SUITE           ${suites.map(({ name }) => name).join(', ')}: all but ${names((it) => it.onlyNamed === true)} unless some are named
  --quick         a minute in total: for a first look; without ${names((it) => it.notQuick === true)} unless they are named
  --runs N        runs of each side (default 5)
  --seconds S     how long each load is measured in each run (default 2)
  --warmup S      how long each side warms up in each run (default 5)
  --outstanding N[,N…]  the loads: commands on their way at any time (default 1,16,256,4096)
  --servers N[,N…]  the sizes of the clusters of \`http\` (default 3,5,7)
  --clients N[,N…]  clients of \`client\` and \`etcd\` (default 1,16,64,256,1000)
  --bytes N[,N…]  and the sizes of their values (default 64,4096)
  --entries N     commands of \`flat\` (default 10000000)
  --json FILE     writes the results to a file as well
  --dir DIR       a directory on a real disk (default data/bench)
  --profile DIR   leaves CPU profiles of all processes there
  --help          this text`

export interface Options extends Effort {
  /** What was typed, without places on this machine. */
  readonly command: string
  readonly suites: readonly Suite[]
  readonly json: string | undefined
  readonly directory: string
  readonly profiles: string | undefined
}

/** What the command line asks for, or `undefined` when it asks for help. Throws for what it cannot mean. */
export function parse(args: string[]): Options | undefined {
  const { values, positionals, tokens } = parseArgs({
    args,
    allowPositionals: true,
    tokens: true,
    options: {
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      warmup: { type: 'string' },
      outstanding: { type: 'string', default: '1,16,256,4096' },
      servers: { type: 'string' },
      clients: { type: 'string' },
      bytes: { type: 'string' },
      entries: { type: 'string', default: '10000000' },
      json: { type: 'string' },
      dir: { type: 'string', default: 'data/bench' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    suites:
      positionals.length === 0
        ? suites.filter((it) => it.onlyNamed !== true && !(values.quick && it.notQuick))
        : positionals.map(named),
    isQuick: values.quick,
    runs: whole('--runs', values.runs ?? (values.quick ? '1' : '5')),
    seconds: positive('--seconds', values.seconds, values.quick ? 0.3 : 2),
    warmup: positive('--warmup', values.warmup, values.quick ? 0.5 : 5),
    outstanding: wholes('--outstanding', values.outstanding),
    servers: wholes('--servers', values.servers ?? (values.quick ? '3' : '3,5,7')),
    clients: wholes('--clients', values.clients ?? (values.quick ? '1,256' : '1,16,64,256,1000')),
    bytes: wholes('--bytes', values.bytes ?? (values.quick ? '64' : '64,4096')),
    entries: whole('--entries', values.entries),
    command: commandOf(tokens),
    json: values.json,
    directory: values.dir,
    profiles: values.profile,
  }
}

interface Token {
  readonly kind: string
  readonly name?: string
  readonly value?: string | undefined
}

const PLACES = ['json', 'dir', 'profile']

/** The command that measures the same elsewhere. */
function commandOf(tokens: readonly Token[]): string {
  const said = tokens
    .filter(({ name }) => !PLACES.includes(name ?? ''))
    .map(({ name, value }) => [name === undefined ? [] : `--${name}`, value ?? []].flat().join(' '))
  return ['npm run bench --', ...said].join(' ')
}

function named(name: string): Suite {
  const suite = suites.find((it) => it.name === name)
  if (suite !== undefined) return suite
  throw new Error(`there is no suite "${name}": ${suites.map((it) => it.name).join(', ')}`)
}

function positive(option: string, given: string | undefined, preset: number): number {
  const value = given === undefined ? preset : Number(given)
  if (value > 0 && value < Infinity) return value
  throw new Error(`${option} is ${given}: it should be a number above 0`)
}

const wholes = (option: string, given: string): number[] =>
  given.split(',').map((n) => whole(option, n))

function whole(option: string, given: string): number {
  const value = Number(given)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`${option} is ${given}: it should be a whole number above 0`)
}
