import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { rxraft } from '../kv/rxraft.ts'

/** What `--help` lists under a heading. */
function listed(help: string, heading: string): string[] {
  const [, section = ''] = help.split(`\n${heading}:\n`)
  const lines = section.split('\n\n')[0]!.split('\n')
  return lines.filter((line) => /^ {2}\S/.test(line)).map((line) => line.trim())
}

/** What every command takes, which the document says once. */
const COMMON = ['--help', '--json', '--servers']

/** Each command of the program that does something, with its options. */
async function commands(...path: string[]): Promise<[command: string, options: string[]][]> {
  const { out } = await rxraft(...path, '--help')
  const inner = listed(out, 'Commands')
    .map((line) => line.split(/[ |]/)[0]!)
    .filter((name) => name !== 'help')
  if (inner.length > 0) {
    return (await Promise.all(inner.map((name) => commands(...path, name)))).flat()
  }
  const options = listed(out, 'Options').flatMap((line) => /--[a-z-]+/.exec(line)?.[0] ?? [])
  return [[path.join(' '), options.filter((option) => !COMMON.includes(option)).sort()]]
}

const document = readFileSync(new URL('../../docs/store.md', import.meta.url), 'utf8')

/** The rows of the table under a heading, each with its cells. */
function rowsOf(heading: string): string[][] {
  const section = document.split(`\n### ${heading}\n`)[1]?.split(/\n#+ /)[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) => row.split('|').slice(1, -1))
}

const optionsIn = (cell: string): string[] =>
  [...cell.matchAll(/`(--[a-z-]+)[^`]*`/g)].map(([, option]) => option!)

/** What `docs/store.md` says that each command takes. */
function documented(): [command: string, options: string[]][] {
  const served = rowsOf('Options of `serve`').flatMap(([cell = '']) => optionsIn(cell))
  const others = rowsOf('Options of the others').flatMap(([names = '', cell = '']) =>
    [...names.matchAll(/`([a-z ]*[a-z])[^`]*`/g)].map(([, name]): [string, string[]] => {
      const said = cell.split('; no ')[0]!
      return [name!, optionsIn(said).sort()]
    }),
  )
  return [['serve', served.sort()], ...others]
}

describe('the document of the store', () => {
  it('names every option of every command, and no other', async () => {
    const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)
    expect(documented().sort(byName)).toEqual((await commands()).sort(byName))
  })

  it.each(COMMON.filter((option) => option !== '--help'))('says what %s is', (option) => {
    expect(document).toContain(`\`${option}`)
  })
})
