/** One line of docs/known-bugs.md or docs/faults.md. */
export interface Line {
  /** As a title names it: `bug 14`, `F12`. */
  readonly tag: string
  readonly text: string
  /** The part of the project that the line concerns. */
  readonly since: string
}

/** The parts that exist: their lines must be covered. A part that is built is added here. */
export const BUILT: readonly string[] = [
  'now',
  'snapshots',
  'membership',
  'leases',
  'transfer',
  'sessions',
  'recovery',
]

/** What is not built yet is `later`. */
const PARTS = [...BUILT, 'later']

/** The lines of a table whose first cell is a number and whose last is `since`. Throws when it is not in order. */
export function linesOf(markdown: string): readonly Line[] {
  const rows = markdown.split('\n').filter((row) => /^\| F?\d+ +\|/.test(row))
  const lines = rows.map((row): Line => {
    const cells = row.split('|').map((cell) => cell.trim())
    const [number, ...rest] = cells.slice(1, -1)
    const since = rest.at(-1)!
    if (!PARTS.includes(since)) throw new Error(`${number}: since is "${since}"`)
    const tag = number!.startsWith('F') ? number! : `bug ${number}`
    return { tag, text: rest.slice(0, -1).join(' – '), since }
  })
  lines.forEach(({ tag }, i) => {
    if (Number(/\d+$/.exec(tag)![0]) !== i + 1) throw new Error(`${tag} stands at place ${i + 1}`)
  })
  return lines
}
