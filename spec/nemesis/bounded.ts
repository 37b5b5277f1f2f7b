import type { Write } from './history.ts'

/** What a read may miss: what was acknowledged within the last `ms`, or what came after an index. */
export type Bound = { readonly within: number } | { readonly atLeast: number }

/** An answer to a read that may be old, but no older than its bound. */
export interface BoundedRead {
  readonly key: string
  readonly bound: Bound
  /** When it was asked, in ms. */
  readonly invoked: number
  /** The index that wrote what it found: 0 for nothing. */
  readonly version: number
}

/** The answers that are older than they may be: a sentence each. Keys are never deleted. */
export function tooOld(reads: readonly BoundedRead[], writes: readonly Write[]): string[] {
  const byKey = new Map<string, { readonly index: number; readonly returned: number }[]>()
  for (const { key, outcome, returned } of writes) {
    if (typeof outcome !== 'number' || returned === undefined) continue
    const known = byKey.get(key) ?? []
    byKey.set(key, known)
    known.push({ index: outcome, returned })
  }
  return reads.flatMap(({ key, bound, invoked, version }) => {
    const due = (byKey.get(key) ?? []).filter(({ index, returned }) =>
      'within' in bound ? returned < invoked - bound.within : index <= bound.atLeast,
    )
    const missed = Math.max(0, ...due.map(({ index }) => index))
    if (version >= missed) return []
    return [`a read ${shown(bound)} found ${key} as of ${version}, and ${missed} is due`]
  })
}

const shown = (bound: Bound): string =>
  'within' in bound ? `within ${bound.within} ms` : `at least of ${bound.atLeast}`
