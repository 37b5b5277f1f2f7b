import { parseArgs } from 'node:util'
import { suites, type Suite } from './suites.ts'

export const USAGE = `npm run bench -- [SUITE…] [options]

  SUITE           ${suites.map(({ name }) => name).join(', ')}: all of them unless some are named
  --quick         two short runs: for a first look
  --runs N        runs of each side, taken in turns (default 5)
  --seconds S     how long each run is measured, after a warm-up of 1 s (default 2)
  --json FILE     writes the results to a file as well
  --dir DIR       a directory on a real disk (default data/bench)
  --profile DIR   leaves CPU profiles of all processes there
  --help          this text`

export interface Options {
  readonly suites: readonly Suite[]
  readonly runs: number
  readonly seconds: number
  readonly json: string | undefined
  readonly directory: string
  readonly profiles: string | undefined
}

/** What the command line asks for, or `undefined` when it asks for help. Throws for what it cannot mean. */
export function parse(args: string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      json: { type: 'string' },
      dir: { type: 'string', default: 'data/bench' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    suites: positionals.length === 0 ? suites : positionals.map(named),
    runs: positive('--runs', values.runs, values.quick ? 2 : 5),
    seconds: positive('--seconds', values.seconds, values.quick ? 1 : 2),
    json: values.json,
    directory: values.dir,
    profiles: values.profile,
  }
}

function named(name: string): Suite {
  const suite = suites.find((it) => it.name === name)
  if (suite !== undefined) return suite
  throw new Error(`there is no suite "${name}": ${suites.map((it) => it.name).join(', ')}`)
}

function positive(option: string, given: string | undefined, preset: number): number {
  const value = given === undefined ? preset : Number(given)
  if (value > 0 && (option !== '--runs' || Number.isInteger(value))) return value
  throw new Error(`${option} is ${given}: it should be a number above 0`)
}
