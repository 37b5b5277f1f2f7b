/** A run of so many columns in which nothing happens is told by its length. */
const LONG = 24

/**
 * Two pictures one over the other, a caret under the first column in which they differ; `undefined`
 * when they are the same, but for the time that passes at their end.
 *
 * ```
 *   expected  '----a---------b'
 *   but was   '----a-----------b'
 *                            ^
 * ```
 */
export function difference(expected: string, actual: string): string | undefined {
  const length = Math.max(expected.replace(/-+$/, '').length, actual.replace(/-+$/, '').length)
  const [one, other] = [expected, actual].map((it) => it.slice(0, length).padEnd(length, '-'))
  if (one === other) return undefined
  const rows = aligned(one!, other!)
  return [`  expected  '${rows[0]}'`, `  but was   '${rows[1]}'`, `             ${rows[2]}`].join(
    '\n',
  )
}

/** Long runs of columns in which nothing happens become a time, in both pictures. */
function aligned(one: string, other: string): readonly [string, string, string] {
  const rows: [string, string, string] = ['', '', '']
  const first = [...one].findIndex((character, i) => character !== other[i])
  for (let i = 0; i < one.length;) {
    const quiet = Math.min(quietFrom(one, i), quietFrom(other, i))
    if (quiet >= LONG) {
      const time = `${rows[0] === '' ? '' : ' '}${quiet}ms `
      rows[0] += time
      rows[1] += time
      if (i < first) rows[2] += ' '.repeat(time.length)
      i += quiet
    } else {
      rows[0] += one[i]!
      rows[1] += other[i]!
      if (i <= first) rows[2] += i === first ? '^' : ' '
      i++
    }
  }
  return rows
}

const quietFrom = (picture: string, from: number): number => picture.slice(from).search(/[^-]|$/)
