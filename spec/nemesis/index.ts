/**
 * Whether real servers keep their promises under real faults: processes that are killed and paused,
 * networks that are cut, clocks that jump and disks that fail, with clients whose history is checked.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cleanup } from './cleanup.ts'
import { probe } from './means.ts'
import { parse, USAGE, type Options } from './options.ts'
import { line, report } from './report.ts'
import { emptyTally, sum, type Tally } from './tally.ts'
import { attempt } from './trial.ts'
import { exitCodes, judge, worst, type Evidence, type Verdict } from './verdict.ts'

const MINUTE = 60_000
const CLI = new URL('../../dist/kv/cli.js', import.meta.url)

async function nemesis({ minutes, sizes, seed, only, loopback, json }: Options): Promise<Verdict> {
  const cleanup = new Cleanup()
  const directory = mkdtempSync(join(tmpdir(), 'rxraft-nemesis-'))
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }))
  const means = probe(directory, loopback, only)
  console.log(`seed ${seed}, faults: ${means.kinds.join(', ')}`)
  for (const sentence of means.missing) console.log(`LEFT OUT: ${sentence}`)

  const verdicts: Verdict[] = []
  const evidences: Evidence[] = []
  let tally: Tally = emptyTally(means.kinds)
  for (const nodes of sizes) {
    const duration = (minutes / sizes.length) * MINUTE
    const result = await attempt({ nodes, seed, duration }, directory, means)
    const verdict = judge(result.evidence)
    console.log(report(`${nodes} servers`, verdict, result.evidence, result.tally))
    verdicts.push(verdict)
    evidences.push(result.evidence)
    tally = sum(tally, result.tally)
  }
  const verdict = worst(verdicts)
  console.log(`verdict: ${verdict}`)
  if (json) console.log(line(verdict, evidences, tally))
  cleanup.run()
  return verdict
}

// Everything that is to be undone hangs on the exit of the process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(exitCodes['not tested']))
}

try {
  const options = parse(process.argv.slice(2))
  if (options === undefined) console.log(USAGE)
  else if (!existsSync(CLI)) throw new Error('dist/kv/cli.js is missing: npm run build')
  else process.exitCode = exitCodes[await nemesis(options)]
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(exitCodes['not tested'])
}
