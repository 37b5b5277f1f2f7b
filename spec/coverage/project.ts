import { readdirSync, readFileSync } from 'node:fs'
import { coverageOf, type Coverage } from './coverage.ts'
import { linesOf } from './tables.ts'
import { titlesIn } from './titles.ts'

const root = new URL('../../', import.meta.url)
const text = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** Tests of the checkers are no tests of the engine. */
const OTHERS = 'spec/simulation/checkers/'

/** The tables and the tests of this project, as they are now. */
export function projectCoverage(): Coverage {
  const files = readdirSync(new URL('spec/', root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `spec/${file.replaceAll('\\', '/')}`)
    .filter((file) => !file.startsWith(OTHERS))
    .sort()
  const lines = ['docs/known-bugs.md', 'docs/faults.md'].flatMap((path) => linesOf(text(path)))
  return coverageOf(
    lines,
    files.flatMap((file) => titlesIn(file, text(file))),
  )
}
