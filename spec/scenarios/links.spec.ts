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

/** Cuts links of a cluster at rest: who leads, in which terms, `SOON` after that and later. */
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
  let leaders: readonly NodeId[] = []
  servers.leaders$.subscribe((now) => (leaders = now))
  let applied: NodeId | undefined
  const terms = new Map<NodeId, number>()
  const look = () => ({ leaders, terms: [...terms.values()] })
  for (const id of ids) {
    servers.watch(id, (node) => node.status$).subscribe(({ term }) => terms.set(id, term))
  }
  const seen = { soon: look(), late: look() }
  timer(CUT + SOON, scheduler).subscribe(() => {
    seen.soon = look()
    for (const id of leaders) {
      servers.node(id).submit(id, { applied: () => (applied = id), failed: () => undefined })
    }
  })
  timer(CUT + SOON + WHILE - 1, scheduler).subscribe(() => (seen.late = look()))
  servers.connect(timer(CUT + SOON + WHILE, scheduler))
  scheduler.flush()
  return { ...seen, applied }
}

/** Whenever some server reaches a quorum both ways, one such leads soon, stays, and commits. */
const check = (ids: readonly NodeId[], cuts: readonly Cut[], seed: number): void => {
  const able = reachingQuorum(ids, cuts)
  const { soon, late, applied } = afterCutting(ids, cuts, seed)
  const context = `seed ${seed}, cut: ${cuts.map((cut) => cut.join('→')).join(' ')}`
  const [leader] = soon.leaders
  expect(soon.leaders, context).toHaveLength(able.length === 0 ? 0 : 1)
  if (leader !== undefined) expect(able, context).toContain(leader)
  expect(applied, context).toBe(leader)
  // Nobody disturbs the leader, and nobody's term grows in vain.
  expect(late, context).toEqual(soon)
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
