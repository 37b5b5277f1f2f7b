import { parseArgs } from 'node:util'
import { mutants } from './table.ts'
import type { Mutant } from './mutant.ts'

export interface Options {
  readonly mutants: readonly Mutant[]
  /** How many seeds each mutant has to survive, counted from 1. */
  readonly seeds: number
  readonly nodes: number
  /** Virtual seconds of faults in each seed. */
  readonly seconds: number
  /** Real seconds that one mutant may take. */
  readonly limit: number
  /** How many run at a time. */
  readonly workers: number
  readonly json: boolean
}

const USAGE = `Plants defects in the engine, one at a time, and lets the simulator find them.

  npm run mutants -- [options]

  --only NAME    this mutant alone; may be given more than once
  --list         say which there are
  --seeds N      how many seeds a mutant has to survive (200)
  --nodes N      servers in each run, where the mutant does not ask for its own number (5)
  --seconds S    virtual seconds of faults in each run (30)
  --limit S      real seconds that a mutant may take before it counts as missed (1200)
  --workers N    how many run at a time, 1 or 2 (2)
  --json         end with one line of JSON`

/** What the command line asks for: a run, or a text to be shown. */
export function parse(args: readonly string[]): Options | string {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      list: { type: 'boolean' },
      seeds: { type: 'string', default: '200' },
      nodes: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '30' },
      limit: { type: 'string', default: '1200' },
      workers: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return USAGE
  if (values.list) return mutants.map(describe).join('\n')
  return {
    mutants: values.only === undefined ? mutants : values.only.map(named),
    seeds: within('seeds', values.seeds, 1, 1_000_000),
    nodes: within('nodes', values.nodes, 1, 9),
    seconds: within('seconds', values.seconds, 1, 3600),
    limit: within('limit', values.limit, 1, 86_400),
    workers: within('workers', values.workers, 1, 2),
    json: values.json,
  }
}

const describe = ({ name, known, defect }: Mutant): string =>
  `${name}: ${defect} (${known.join(', ')})`

function named(name: string): Mutant {
  const mutant = mutants.find((mutant) => mutant.name === name)
  if (mutant === undefined) throw new Error(`there is no mutant ${name}: see --list`)
  return mutant
}

function within(option: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new Error(`--${option} is ${text}: it should be a whole number from ${min} to ${max}`)
}
