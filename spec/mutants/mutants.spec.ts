import { readFileSync } from 'node:fs'
import { transform } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { plant, type Mutant } from './mutant.ts'
import { mutants } from './table.ts'

const compiled = async (source: string): Promise<string> =>
  (await transform(source, { loader: 'ts' })).code

/** The numbers of the rows of a table. */
const rowsOf = (file: string): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^\| (F?\d+) +\|/gm)].map(([, number]) => number!)

describe('the mutants', () => {
  test('are at least twenty, each with a name of its own', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(20)
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
  })

  test('stand for defects and faults that are in the lists', () => {
    const bugs = rowsOf('docs/known-bugs.md').map((number) => `bug ${number}`)
    const known = new Set<string>([...bugs, ...rowsOf('docs/faults.md')])
    const unknown = mutants.filter((mutant) => !mutant.known.every((line) => known.has(line)))
    expect(unknown.map(({ name }) => name)).toEqual([])
  })

  test.each(mutants)('$name is made from the engine as it is, and compiles', async (mutant) => {
    expect(mutant.file).toMatch(/^(lib|operators\/engine)\//)
    const source = readFileSync(mutant.file, 'utf8')
    expect(await compiled(plant(mutant, source))).not.toBe(await compiled(source))
  })
})

describe('planting', () => {
  const mutant: Mutant = {
    name: 'off-by-one',
    known: [],
    defect: 'Counts one too many.',
    file: 'lib/quorum.ts',
    find: 'n + 1',
    replace: "n + '$&'",
  }

  test('replaces the text as it stands', () => {
    expect(plant(mutant, 'let n = n + 1;')).toBe("let n = n + '$&';")
  })

  test.each(['let n = n + 2;', 'let n = n + 1 + n + 1;'])(
    'refuses a stale mutant: %s',
    (source) => {
      expect(() => plant(mutant, source)).toThrow('mutant off-by-one is stale')
    },
  )
})
