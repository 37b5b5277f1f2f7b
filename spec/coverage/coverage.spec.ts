import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { countOf, coverageOf, overdue, tagsIn } from './coverage.ts'
import { projectCoverage } from './project.ts'
import { linesOf } from './tables.ts'
import { titlesIn } from './titles.ts'

const textsOf = (source: string): string[] => titlesIn('x.spec.ts', source).map(({ text }) => text)

describe('the titles of a source', () => {
  it('are those of its tests, with the suites around them', () => {
    const source = `
      describe('outer', () => {
        describe.each([[1]])(\`inner \${name}\`, () => { it('one', () => {}) })
        test('two' + ' and more', async () => {})
      })
      call('three', () => {})
      it.runIf(isLinux)('four', () => {})`
    expect(textsOf(source)).toEqual(['outer inner one', 'outer two and more', 'four'])
  })

  it('are also those that the rows of a table give', () => {
    const source = `
      it.each([['a [F1]', 1], ['b [F2]', 2]])('%s', () => {})
      it.runIf(yes).each(['c [F3]'])('%s', () => {})
      it.each(elsewhere)('%s [F4]', () => {})`
    expect(textsOf(source)).toEqual(['%s a [F1] b [F2]', '%s c [F3]', '%s [F4]'])
  })

  it('are not those of tests that are skipped, or of suites without one', () => {
    const source = `
      it.skip('one', () => {})
      it.todo('two')
      describe.skip('three', () => { it('four', () => {}) })
      describe('five', () => {})
      // it('six', () => {})
      const text = "it('seven', () => {})"`
    expect(textsOf(source)).toEqual([])
  })
})

describe('a tag', () => {
  it('names one line or several', () => {
    expect(tagsIn('a [bug 14] b [bug 20/67][F12] [F3/F4] c')).toEqual([
      ...['bug 14', 'bug 20', 'bug 67', 'F12', 'F3', 'F4'],
    ])
    expect(tagsIn('an array [0], [file], [Foo 1], [a|b]')).toEqual([])
  })

  it('that cannot be read is no secret', () => {
    const unreadable = ['[bug14]', '[Bug 14]', '[bugs 14]', '[F 12]', '[f12]', '[bug 14, 15]']
    for (const tag of unreadable) expect(tagsIn(tag)).toEqual([undefined])
  })
})

describe('tables', () => {
  it('are read by their first and last cells', () => {
    const table = '| # | k | since |\n| - | - | - |\n| 1 | x | now |\n| 2 | y | leases |\n'
    expect(linesOf(table)).toEqual([
      { tag: 'bug 1', text: 'x', since: 'now' },
      { tag: 'bug 2', text: 'y', since: 'leases' },
    ])
  })

  it('that are out of order are refused', () => {
    expect(() => linesOf('| F1 | x | now |\n| F3 | y | now |')).toThrow('F3 stands at place 2')
    expect(() => linesOf('| 1 | x | soon |')).toThrow('1: since is "soon"')
  })
})

describe('coverage', () => {
  const lines = linesOf('| 1 | x | now |\n| 2 | y | now |\n| 3 | z | later |')
  const of = (...texts: string[]) =>
    coverageOf(
      lines,
      texts.map((text) => ({ file: 'f', text })),
    )

  it('is what titles name, of the parts that exist', () => {
    const coverage = of('one [bug 1]', 'three, too early [bug 3]')
    expect(countOf(coverage, 'bug')).toEqual({ total: 3, covered: 1, missing: [2, 3] })
    expect(overdue(coverage).map(({ tag }) => tag)).toEqual(['bug 2'])
    expect(coverage.unknown).toEqual([])
  })

  it('lacks nothing when all that is due is named, and tells what names no line', () => {
    const coverage = of('both [bug 1/2]', 'four [bug 4]', 'a fault [F1]', 'unreadable [bug2]')
    expect(overdue(coverage)).toEqual([])
    expect(coverage.unknown).toEqual(['f: four [bug 4]', 'f: a fault [F1]', 'f: unreadable [bug2]'])
  })
})

describe('this project', () => {
  it('covers every line that concerns what exists, and names no other', () => {
    const coverage = projectCoverage()
    expect(coverage.unknown).toEqual([])
    expect(overdue(coverage).map(({ tag, text }) => `${tag}: ${text}`)).toEqual([])
  })

  it('counts them on one line', () => {
    const script = fileURLToPath(new URL('index.ts', import.meta.url))
    const { stdout } = spawnSync('node', ['--import', 'tsx', script, '--json'], {
      encoding: 'utf8',
    })
    const { bugs, faults } = JSON.parse(stdout) as Record<string, { total: number }>
    expect([bugs!.total, faults!.total, stdout.trim().split('\n').length]).toEqual([72, 72, 1])
  })
})
