// Prints `N passed, N failed[, N skipped]` from vitest's JSON report. A file that could not even be
// loaded counts as one failure, and so does a run that left no report.
import { existsSync, readFileSync } from 'node:fs'

const [, , file] = process.argv
const nothing = {
  testResults: [],
  numPassedTests: 0,
  numFailedTests: 1,
  numPendingTests: 0,
  numTodoTests: 0,
}
const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : nothing
const broken = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
).length
const failed = report.numFailedTests + broken
const skipped = report.numPendingTests + report.numTodoTests

console.log(
  `${report.numPassedTests} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : ''),
)
process.exitCode = failed > 0 || report.numPassedTests === 0 ? 1 : 0
