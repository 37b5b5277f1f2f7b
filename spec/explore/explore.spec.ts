import { describe, expect, it } from 'vitest'
import { reduce } from '../../lib/step.ts'
import { bounded, type Bounds } from './bounds.ts'
import { explore } from './explore.ts'
import { example, tlaTrace } from './tla.ts'
import { describePath, schedule } from './schedule.ts'
import { leads } from './waypoints.ts'

describe('the reducer, explored exhaustively, keeps every invariant', () => {
  it.each<[string, Partial<Bounds>, number]>([
    ['alone, crashing', { nodes: 1, terms: 3, entries: 2, crashes: 2, turn: 2 }, 1000],
    ['two servers', { nodes: 2, terms: 1, entries: 1, crashes: 1, messages: 2 }, 1000],
    ['two servers, two events a turn', { nodes: 2, crashes: 1, messages: 2, turn: 2 }, 300],
    ['two servers, no questions in advance', { nodes: 2, terms: 2, preVote: false }, 300],
    ['two servers that repeat themselves', { nodes: 2, messages: 2, duplicates: 1 }, 300],
    ['two servers and a read', { nodes: 2, messages: 2, reads: 1, preVote: false }, 300],
    ['three servers that are loyal', { messages: 1, loyal: true }, 300],
  ])('%s', (_, bounds, least) => {
    const { violation, complete, distinct } = explore(reduce, bounded(bounds))
    expect(violation && schedule(violation)).toBeUndefined()
    expect(complete).toBe(true)
    // An exploration in which nothing can happen proves nothing.
    expect(distinct).toBeGreaterThan(least)
  })

  it('from the disks of Figure 8 of the paper', () => {
    const disks = {
      a: { term: 2, log: [1] },
      b: { term: 2, vote: 'b', log: [2] },
      c: { term: 2, vote: 'b', log: [] },
    }
    const bounds = bounded({ terms: 3, messages: 2, preVote: false, batchesPerAppend: 1, disks })
    const { violation, distinct } = explore(reduce, bounds, { depth: 11 })
    expect(violation && schedule(violation)).toBeUndefined()
    expect(distinct).toBeGreaterThan(1000)
  })
})

describe('the explorer', () => {
  const bounds = bounded({ terms: 1, messages: 1, crashes: 1, preVote: false })

  it('counts clusters once that differ in names only, and loses none by it', () => {
    const reduced = explore(reduce, bounds)
    const all = explore(reduce, bounds, { isAsymmetric: true })
    expect(reduced.complete && all.complete).toBe(true)
    expect(reduced.depth).toBe(all.depth)
    expect(all.distinct).toBeGreaterThan(5 * reduced.distinct)
    expect(all.distinct).toBeLessThanOrEqual(6 * reduced.distinct)
  })

  it('does the same each time', () => {
    expect(explore(reduce, bounds)).toEqual(explore(reduce, bounds))
  })

  it('stops where it is told to', () => {
    expect(explore(reduce, bounds, { depth: 3 })).toMatchObject({ depth: 3, complete: false })
    expect(explore(reduce, bounds, { isOver: () => true })).toMatchObject({ visited: 0 })
  })

  it('tells a way as a schedule', () => {
    const { way } = explore(reduce, bounds, { via: [leads('a', 1)], depth: 5 })
    const told = describePath(way ?? []).join('\n')
    expect(told.split('\n').map((line) => line.trimEnd())).toMatchInlineSnapshot(`
      [
        "  1. a has waited for a leader long enough                   a@1 candidate [] commit 0, disk @0 – [], 1 saving",
        "  2. a has its oldest save on disk                           a@1 candidate [] commit 0, disk @1 a []",
        "       → a → b requestVote @1, log to 0@0",
        "       → a → c requestVote @1, log to 0@0",
        "       ✗ a → b requestVote @1, log to 0@0",
        "  3. c hears from a: requestVote @1, log to 0@0              c@1 follower [] commit 0, disk @0 – [], 1 saving",
        "  4. c has its oldest save on disk                           c@1 follower [] commit 0, disk @1 a []",
        "       → c → a vote @1 granted",
        "  5. a hears from c: vote @1 granted                         a@1 leader [1@1] commit 0, disk @1 a [], 1 saving",
        "       → a → b append @1 after 0@0 [1@1] commit 0",
        "       → a → c append @1 after 0@0 [1@1] commit 0",
        "       ✗ a → b append @1 after 0@0 [1@1] commit 0",
      ]
    `)
  })
})

describe('a schedule for TLC', () => {
  it('has a move and the visible state after it for each step', () => {
    const path = example(reduce)
    const text = tlaTrace(path)
    expect(text.match(/move \|->/g)).toHaveLength(path.length)
    expect(text).toContain('[kind |-> "crash"')
    expect(text).toContain('[kind |-> "received", at |-> "a", from |-> "b", type |-> "append"')
    expect(text).toMatch(/commit \|-> 3/)
  })
})
