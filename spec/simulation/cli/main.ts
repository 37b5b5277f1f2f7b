import { fileURLToPath } from 'node:url'
import { explain } from './failure.ts'
import { parseOptions, USAGE, type Options } from './options.ts'
import { add, json, nothing, table, type Totals } from './totals.ts'
import { share, work } from './workers.ts'

/** So many failing seeds are explained; the others are only named. */
const EXPLAINED = 3

/** Between two progress lines, in real ms, where nobody watches a terminal. */
const REPORT_EVERY = 10_000

if (process.argv[2] === '--worker') work()
else await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  try {
    process.exitCode = await run(parseOptions(args))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.error(USAGE)
    process.exitCode = 2
  }
}

async function run(options: Options): Promise<number> {
  const { nodes, seconds } = options
  const begun = performance.now()
  const tell = progress(options.seeds.length)
  const failing: number[] = []
  let totals = nothing
  await share(fileURLToPath(import.meta.url), options, (summary) => {
    totals = add(totals, summary)
    if (summary.violations.length > 0) failing.push(summary.seed)
    if (options.seeds.length === 1) console.log(`seed ${summary.seed}, hash ${summary.hash}`)
    tell(totals)
  })
  const ms = performance.now() - begun
  failing.sort((a, b) => a - b)
  for (const seed of failing.slice(0, EXPLAINED)) {
    console.log(explain({ nodes, seed, duration: seconds * 1000 }))
  }
  if (failing.length > EXPLAINED) console.log(`failing seeds: ${failing.join(' ')}`)
  console.log(table(totals, ms))
  if (options.json) console.log(json(totals, ms))
  return failing.length === 0 ? 0 : 1
}

/** One line that is written over on a terminal, and one now and then elsewhere. */
function progress(seeds: number): (totals: Totals) => void {
  const { stderr } = process
  let last = performance.now()
  return (totals) => {
    const isLast = totals.seeds === seeds
    const { taken, installed } = totals.snapshots
    const snapshots = `${taken} snapshots taken, ${installed} installed`
    const line = `${totals.seeds} of ${seeds} seeds, ${snapshots}, ${totals.violations} violations`
    if (stderr.isTTY) stderr.write(`\r${line}${isLast ? '\n' : ''}`)
    else if (isLast || performance.now() - last > REPORT_EVERY) {
      stderr.write(`${line}\n`)
      last = performance.now()
    }
  }
}
