/** Plants one defect after another in a copy of the engine and shows that the simulator notices. */
import { parse, type Options } from './options.ts'
import { trial, type Verdict } from './trial.ts'

/** Tries each mutant, some at a time, and says what came of each as soon as it is known. */
async function tryAll(options: Options): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  const waiting = [...options.mutants]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const verdict = await trial(next, options)
      verdicts.push(verdict)
      console.log(line(verdict))
    }
  }
  await Promise.all(Array.from({ length: options.workers }, work))
  return verdicts
}

function line({ mutant, caught, missed, took }: Verdict): string {
  const name = mutant.name.padEnd(32)
  const time = `in ${took.toFixed(1)} s`
  if (caught === undefined) return `MISSED  ${name} ${time}: ${missed}`
  const { checker, seed, message } = caught
  const what = message.length > 120 ? `${message.slice(0, 120)} …` : message
  return `caught  ${name} by ${checker} at seed ${seed} ${time}: ${what}`
}

async function run(options: Options): Promise<boolean> {
  const verdicts = await tryAll(options)
  const missed = verdicts
    .filter(({ caught }) => caught === undefined)
    .map(({ mutant }) => mutant.name)
  const caught = verdicts.length - missed.length
  console.log(`${caught} of ${verdicts.length} caught; the engine without them passes those seeds`)
  if (options.json) console.log(JSON.stringify({ mutants: verdicts.length, caught, missed }))
  return missed.length === 0
}

// A hunt that hangs must not outlive the search.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

try {
  const options = parse(process.argv.slice(2))
  if (typeof options === 'string') console.log(options)
  else if (!(await run(options))) process.exitCode = 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
