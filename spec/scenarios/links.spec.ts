import { concat, map, NEVER, timer, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { latency, type Cut } from '../../adapters/transport/memory.ts'
import type { NodeId } from '../../lib/types.ts'
import { cluster, seeded } from '../../testing/index.ts'
import { journal } from './support.ts'

/** Servers have elected and are at rest by then, in ms, when links between them fail. */
const CUT = 100
/** Ten times the longest election timeout. */
const SOON = 120
const WHILE = 60

const linksAmong = (ids: readonly NodeId[]): Cut[] =>
  ids.flatMap((from) => ids.filter((to) => to !== from).map((to): Cut => [from, to]))

/** The servers that reach a quorum, themselves among it, both ways. */
const reachingQuorum = (ids: readonly NodeId[], cuts: readonly Cut[]): NodeId[] => {
  const isCut = (from: NodeId, to: NodeId) => cuts.some(([a, b]) => a === from && b === to)
  const peers = (id: NodeId) =>
    ids.filter((other) => other === id || (!isCut(id, other) && !isCut(other, id)))
  return ids.filter((id) => peers(id).length > ids.length / 2)
}

/** Cuts links of a cluster at rest; who leads `SOON` after that, who in the end, and what gets through. */
const afterCutting = (ids: readonly NodeId[], cuts: readonly Cut[], seed: number) => {
  const scheduler = new VirtualTimeScheduler()
  const servers = cluster({
    ids,
    machine: journal,
    electionTimeout: [6, 12],
    heartbeat: 3,
    link: () => latency(1, scheduler),
    cuts$: concat(timer(CUT, scheduler).pipe(map(() => cuts)), NEVER),
    scheduler,
    seed,
  })
  let now: readonly NodeId[] = []
  let soon: readonly NodeId[] = []
  let applied: string | undefined
  servers.leaders$.subscribe((leaders) => (now = leaders))
  timer(CUT + SOON, scheduler).subscribe(() => {
    soon = now
    for (const id of soon) {
      servers.node(id).submit(id, { applied: () => (applied = id), failed: () => undefined })
    }
  })
  const ended = { first: now, soon, now, applied }
  timer(CUT - 1, scheduler).subscribe(() => (ended.first = now))
  timer(CUT + SOON + WHILE - 1, scheduler).subscribe(() =>
    Object.assign(ended, { soon, now, applied }),
  )
  servers.connect(timer(CUT + SOON + WHILE, scheduler))
  scheduler.flush()
  return ended
}

/** A leader exists soon, stays, and commits, whenever some server reaches a quorum both ways. */
const check = (ids: readonly NodeId[], cuts: readonly Cut[], seed: number): void => {
  const able = reachingQuorum(ids, cuts)
  const seen = afterCutting(ids, cuts, seed)
  const context = `seed ${seed}, cut: ${cuts.map((cut) => cut.join('→')).join(' ')}`
  if (able.length === 0) return expect(seen.now, context).toEqual([])
  expect(seen.soon, context).toHaveLength(1)
  expect(able, context).toContain(seen.soon[0])
  expect(seen, context).toMatchObject({ now: seen.soon, applied: seen.soon[0] })
}

describe('whatever links fail, whoever reaches a quorum both ways can lead [F2][bug 46]', () => {
  const three = ['a', 'b', 'c']
  const links = linksAmong(three)

  it('of three servers: every set of links', () => {
    for (let set = 0; set < 2 ** links.length; set++) {
      check(
        three,
        links.filter((_, i) => (set >> i) % 2 === 1),
        set,
      )
    }
  })

  const five = ['a', 'b', 'c', 'd', 'e']
  const whole = linksAmong(five)
  /** Leaves only these links, both ways. */
  const only = (...pairs: string[]): Cut[] =>
    whole.filter(([a, b]) => !pairs.includes(a + b) && !pairs.includes(b + a))

  it.each([
    ['a ring', only('ab', 'bc', 'cd', 'de', 'ea')],
    ['a bridge: c alone sees both sides', only('ab', 'ac', 'bc', 'cd', 'ce', 'de')],
    ['a star around d', only('da', 'db', 'dc', 'de')],
    ['a line, on which nobody reaches a quorum but its middle', only('ab', 'bc', 'cd', 'de')],
    ['a triangle and two who are alone', only('bd', 'de', 'eb')],
    [
      'a hub that everybody hears and that hears two',
      whole.filter(([, to]) => to !== 'c').slice(0, 9),
    ],
    ['two pairs and one alone: nobody can', only('ab', 'cd')],
  ])('of five servers: %s', (_, cuts) => {
    for (let seed = 1; seed <= 5; seed++) check(five, cuts, seed)
  })

  it('of five servers: a hundred sets of links by chance', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = seeded(seed)
      const share = random()
      check(
        five,
        whole.filter(() => random() < share),
        seed,
      )
    }
  })
})
