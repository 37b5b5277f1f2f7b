import { countOf, isCovered, overdue, type Coverage } from './coverage.ts'
import { projectCoverage } from './project.ts'

/** `npm run coverage:bugs [--json]`: which known bugs and faults the titles of the tests name. */
const coverage = projectCoverage()

if (process.argv.includes('--json')) {
  const counts = { bugs: countOf(coverage, 'bug'), faults: countOf(coverage, 'F') }
  console.log(JSON.stringify(counts))
} else {
  console.log(report(coverage).join('\n'))
}
process.exitCode = overdue(coverage).length + coverage.unknown.length > 0 ? 1 : 0

function report({ lines, unknown }: Coverage): readonly string[] {
  const said = [...new Set(lines.map(({ since }) => since))].flatMap((since) => {
    const part = lines.filter((line) => line.since === since)
    const covered = part.filter(isCovered)
    const missing = part.filter((line) => !isCovered(line))
    return [
      `${since}: ${covered.length} of ${part.length} covered`,
      ...covered.map(({ tag, tests }) => `  ${tag.padEnd(7)} ${tests.length} tests`),
      ...missing.map(({ tag, text, tests }) =>
        `  ${tag.padEnd(7)} MISSING ${tests.length > 0 ? '(named too early) ' : ''}${text}`.slice(
          0,
          120,
        ),
      ),
    ]
  })
  const [bugs, faults] = [countOf({ lines, unknown }, 'bug'), countOf({ lines, unknown }, 'F')]
  return [
    ...said,
    ...unknown.map((title) => `names no line: ${title}`),
    `bugs ${bugs.covered} of ${bugs.total}, faults ${faults.covered} of ${faults.total}`,
  ]
}
