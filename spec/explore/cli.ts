import { parseArgs } from 'node:util'
import { writeFileSync } from 'node:fs'
import { reduce } from '../../lib/step.ts'
import { bounded, type Bounds } from './bounds.ts'
import { explore, type Exploration } from './explore.ts'
import { schedule } from './schedule.ts'
import { example, tlaTrace } from './tla.ts'

const USAGE = `npm run explore -- [options]

Explores the reducer exhaustively: some configurations one after another, or the one that options give.

  --nodes N       servers, 1 to 4 (3)
  --terms N       nobody campaigns for a later term (1)
  --entries N     commands proposed in all (0)
  --crashes N     crashes in all (0)
  --messages N    messages in flight that may still arrive (3)
  --duplicates N  messages that arrive twice, in all (0)
  --pulses N      pulses of a leader in one term (0)
  --reads N       reads in all (0)
  --turn N        events that one turn takes in, 1 or 2 (1)
  --no-pre-vote   no questions in advance
  --loyal         servers may have heard their leader a moment ago
  --single        one batch in each append
  --depth N       stops after so many moves
  --seconds N     stops after so long, shared by all configurations (120)
  --json          ends with one line of JSON
  --tla FILE      writes one schedule as a TLA+ module for docs/spec/TraceSpec.tla, and explores nothing
`

/** Small ones to their end, larger ones as far as time allows. */
const configurations: readonly Partial<Bounds>[] = [
  { nodes: 1, terms: 3, entries: 2, crashes: 2, turn: 2 },
  { nodes: 2, terms: 2, entries: 1, crashes: 1, messages: 1 },
  { nodes: 2, terms: 2, entries: 1, messages: 2, preVote: false },
  { nodes: 2, terms: 2, crashes: 1, messages: 2, turn: 2, preVote: false },
  { nodes: 2, reads: 1, pulses: 1, duplicates: 1, messages: 2, preVote: false },
  { nodes: 3, messages: 2, loyal: true },
  { nodes: 3, entries: 1, messages: 2 },
  { nodes: 3, terms: 2, crashes: 1, messages: 1, preVote: false },
  { nodes: 3, terms: 2, crashes: 1, messages: 2, preVote: false },
  { nodes: 3, terms: 2, entries: 1, messages: 3, crashes: 1, duplicates: 1, pulses: 1, reads: 1 },
]

interface Result extends Omit<Exploration, 'violation' | 'way'> {
  readonly bounds: Bounds
  readonly seconds: number
  readonly violation: readonly string[] | undefined
}

function main(): void {
  const { values } = parseArgs({ options, allowNegative: true })
  if (values.help) return void process.stdout.write(USAGE)
  if (values.tla !== undefined) return writeFileSync(values.tla, tlaTrace(example(reduce)))
  const given = boundsFrom(values)
  const all = given === undefined ? configurations : [given]
  const depth = numberFrom(values.depth, 'depth')
  const end = performance.now() + 1000 * (numberFrom(values.seconds, 'seconds') ?? 120)
  const results = all.map((bounds, i) => {
    const now = performance.now()
    const share = now + (end - now) / (all.length - i)
    return run(bounded(bounds), share, depth, values.json === true)
  })
  const violations = results.filter(({ violation }) => violation !== undefined).length
  if (values.json) process.stdout.write(`${JSON.stringify({ violations, results })}\n`)
  if (violations > 0) process.exitCode = 1
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const options = {
  ...{ nodes: text, terms: text, entries: text, crashes: text, messages: text, duplicates: text },
  ...{ pulses: text, reads: text, turn: text, depth: text, seconds: text, tla: text },
  ...{ 'pre-vote': flag, loyal: flag, single: flag, json: flag, help: flag },
} as const

type Values = Partial<Record<keyof typeof options, string | boolean>>

/** The bounds that options give, if any of them does. */
function boundsFrom(values: Values): Partial<Bounds> | undefined {
  const counts = (
    [
      'nodes',
      'terms',
      'entries',
      'crashes',
      'messages',
      'duplicates',
      'pulses',
      'reads',
      'turn',
    ] as const
  ).flatMap((name) => {
    const count = numberFrom(values[name], name)
    return count === undefined ? [] : [[name, count] as const]
  })
  const bounds: Partial<Bounds> = {
    ...Object.fromEntries(counts),
    ...(values['pre-vote'] === false && { preVote: false }),
    ...(values.loyal === true && { loyal: true }),
    ...(values.single === true && { batchesPerAppend: 1 }),
  }
  return Object.keys(bounds).length === 0 ? undefined : bounds
}

function numberFrom(value: string | boolean | undefined, name: string): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  const most = { nodes: 4, turn: 2 }[name] ?? Infinity
  if (Number.isInteger(number) && number >= 0 && number <= most) return number
  process.stderr.write(
    `--${name} must be a whole number${most < Infinity ? ` up to ${most}` : ''}\n`,
  )
  process.exit(2)
}

function run(bounds: Bounds, end: number, depth: number | undefined, isQuiet: boolean): Result {
  const begin = performance.now()
  const exploration = explore(reduce, bounds, {
    isOver: () => performance.now() > end,
    ...(depth !== undefined && { depth }),
  })
  const seconds = Math.round((performance.now() - begin) / 100) / 10
  const { visited, distinct, locals, depth: reached, complete, violation } = exploration
  const counts = { visited, distinct, locals, depth: reached, complete, seconds }
  const result = { bounds, ...counts, violation: violation && schedule(violation) }
  if (!isQuiet) process.stdout.write(describe(result))
  return result
}

function describe({
  bounds,
  visited,
  distinct,
  locals,
  depth,
  complete,
  seconds,
  violation,
}: Result): string {
  const given = Object.entries(bounds).map(([name, value]) => `${name} ${value}`)
  return [
    given.join(', '),
    `  ${visited} moves, ${distinct} clusters, ${locals} states of a server, depth ${depth}` +
      `${complete ? ', complete' : ''}, ${seconds} s: ${violation === undefined ? 'all invariants hold' : 'VIOLATION'}`,
    ...(violation ?? []),
    '',
  ].join('\n')
}

main()
