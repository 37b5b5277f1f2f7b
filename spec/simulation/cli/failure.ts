import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FaultEvent } from '../../../testing/simulation/faults.ts'
import { shrink } from '../../../testing/simulation/shrink.ts'
import { simulate, type Report, type Simulation } from '../../../testing/simulation/simulate.ts'

/** How long shrinking one seed may take, in real ms. */
const PATIENCE = 60_000

/**
 * What somebody who is to find the reason wants: the command that runs the seed again, the fewest faults that
 * it still fails with, and the trace of that run in a file.
 */
export function explain(simulation: Simulation): string {
  const { seed, nodes, duration } = simulation
  const report = simulate(simulation)
  const end = Date.now() + PATIENCE
  const failsAlike = (schedule: readonly FaultEvent[]): boolean =>
    Date.now() < end && isAlike(report, simulate({ ...simulation, faults: schedule }))
  const smallest = shrink(report.schedule, failsAlike)
  const shortest = simulate({ ...simulation, faults: smallest, trace: true })
  return [
    `seed ${seed} fails: ${messages(report).join('; ')}`,
    `  again:  npm run sim -- --seed ${seed} --nodes ${nodes} --seconds ${duration / 1000}`,
    `  faults: ${report.schedule.length}, shrunk to ${smallest.length}`,
    ...smallest.map((event) => `    ${JSON.stringify(event)}`),
    `  trace:  ${record(shortest)}`,
  ].join('\n')
}

const isAlike = (one: Report, other: Report): boolean =>
  other.violations.some(({ checker }) => checker === one.violations[0]?.checker)

const messages = ({ violations }: Report): string[] =>
  violations.map(({ checker, at, message }) => `${checker} at ${at.toFixed(3)} ms: ${message}`)

function record(report: Report): string {
  const file = join('data', 'sim', `seed-${report.seed}.txt`)
  mkdirSync(join('data', 'sim'), { recursive: true })
  const schedule = report.schedule.map((event) => JSON.stringify(event))
  const lines = [
    `seed ${report.seed}, hash ${report.hash}`,
    ...messages(report),
    '',
    'faults:',
    ...schedule,
    '',
    'virtual µs, and what happened:',
    ...(report.trace ?? []),
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
