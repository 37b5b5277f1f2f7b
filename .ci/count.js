// Prints `N passed, N failed[, N skipped]` from vitest's JSON report. A file that could not even be
// loaded counts as one failure.
import { readFileSync } from 'node:fs'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const broken = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
).length
const failed = report.numFailedTests + broken
const skipped = report.numPendingTests + report.numTodoTests

console.log(
  `${report.numPassedTests} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : ''),
)
process.exitCode = failed > 0 || report.numPassedTests === 0 ? 1 : 0
