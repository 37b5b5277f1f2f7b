import { BUILT, type Line } from './tables.ts'
import type { Title } from './titles.ts'

/** How much of one table the titles of tests name. */
export interface Count {
  readonly total: number
  readonly covered: number
  /** The numbers that nothing covers, in order. */
  readonly missing: readonly number[]
}

export interface Coverage {
  readonly lines: readonly Covered[]
  /** Titles with a tag that names no line, or that cannot be read. */
  readonly unknown: readonly string[]
}

export interface Covered extends Line {
  /** Whether the part that the line concerns exists. */
  readonly isDue: boolean
  /** The tests that name it. What names a line of a part that does not exist cannot run its schedule. */
  readonly tests: readonly Title[]
}

const TAG = /\[\s*(bugs?|faults?|F)\s*\d[^\]]*\]/gi
const READABLE = /^\[(bug |F)(\d+(?:\/F?\d+)*)\]$/

/** The tags in a title, each as its line is called; `undefined` for one that cannot be read. */
export function tagsIn(title: string): readonly (string | undefined)[] {
  return (title.match(TAG) ?? []).flatMap((tag) => {
    const [, kind, numbers] = READABLE.exec(tag) ?? []
    if (kind === undefined) return [undefined]
    return numbers!.split('/').map((number) => `${kind}${number.replace('F', '')}`)
  })
}

/** Holds the titles against the lines. */
export function coverageOf(lines: readonly Line[], titles: readonly Title[]): Coverage {
  const known = new Map<string | undefined, Title[]>(lines.map(({ tag }) => [tag, []]))
  const unknown: string[] = []
  for (const title of titles) {
    for (const tag of new Set(tagsIn(title.text))) {
      const tests = known.get(tag)
      if (tests === undefined) unknown.push(`${title.file}: ${title.text}`)
      else tests.push(title)
    }
  }
  const covered = lines.map((line): Covered => ({
    ...line,
    isDue: BUILT.includes(line.since),
    tests: known.get(line.tag)!,
  }))
  return { lines: covered, unknown }
}

export const isCovered = ({ isDue, tests }: Covered): boolean => isDue && tests.length > 0

/** Lines that concern what exists, and that no test names. */
export const overdue = ({ lines }: Coverage): readonly Covered[] =>
  lines.filter((line) => line.isDue && !isCovered(line))

/** The numbers of the lines whose tag begins so. */
export function countOf({ lines }: Coverage, kind: 'bug' | 'F'): Count {
  const own = lines.filter(({ tag }) => tag.startsWith(kind))
  const missing = own.filter((line) => !isCovered(line))
  return {
    total: own.length,
    covered: own.length - missing.length,
    missing: missing.map(({ tag }) => Number(/\d+$/.exec(tag)![0])),
  }
}
