import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

/** What the command line asks for. */
export interface Options {
  /** The seeds to run, in order. */
  readonly seeds: readonly number[]
  readonly nodes: number
  readonly seconds: number
  /** How many processes share the work. */
  readonly jobs: number
  /** Whether the last line is the result as JSON. */
  readonly json: boolean
}

export const USAGE = `npm run sim -- [--seeds 1000] [--from 1] [--nodes 5] [--seconds 30] [--jobs n] [--json]
npm run sim -- --seed 42 [--nodes 5] [--seconds 30]     one seed again`

/** Throws an error with a sentence for the user when the arguments cannot be. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1000' },
      seed: { type: 'string' },
      from: { type: 'string', default: '1' },
      nodes: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '30' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
    },
  })
  const from = whole('seed', values.seed ?? values.from, 0, Number.MAX_SAFE_INTEGER)
  const count = values.seed === undefined ? whole('seeds', values.seeds, 1, 1e9) : 1
  return {
    seeds: Array.from({ length: count }, (_, i) => from + i),
    nodes: whole('nodes', values.nodes, 1, 9),
    seconds: whole('seconds', values.seconds, 0, 86_400),
    jobs: Math.min(count, whole('jobs', values.jobs, 1, 1024)),
    json: values.json,
  }
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw new Error(`--${name} is ${text}: it should be a whole number from ${min} to ${max}`)
}
