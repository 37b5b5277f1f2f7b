import type { Bounds } from './bounds.ts'
import type { Cluster } from './cluster.ts'
import type { Histories, History, Wrong } from './history.ts'
import type { Finding } from './invariants.ts'
import { LATE, SOON, type Fact } from './server.ts'
import type { Letter, Local, Universe } from './universe.ts'

/** One thing that happens in a cluster. */
export type Move =
  | { readonly type: 'turn'; readonly at: number; readonly happenings: readonly Happening[] }
  | { readonly type: 'crash'; readonly at: number; readonly as: Local }

/** A fact, and the message that it used up. */
interface Happening {
  readonly fact: Fact
  readonly key: string
  readonly letter?: Letter
  /** The message will arrive once more. */
  readonly again?: boolean
}

/** What a move leads to. */
export interface Successor {
  readonly move: Move
  readonly cluster: Cluster
  /** Messages that are never delivered, because more were in flight than may be. */
  readonly lost: readonly Letter[]
  readonly sent: readonly Letter[]
  readonly findings: readonly Finding[]
}

/** Everything that can happen next, always in the same order. */
export function successors(
  universe: Universe,
  histories: Histories,
  cluster: Cluster,
): readonly Successor[] {
  const { bounds } = universe
  return cluster.locals.flatMap((local, at) => [
    ...turnsOf(bounds, cluster, local).flatMap((happenings) =>
      afterTurn(universe, histories, cluster, { type: 'turn', at, happenings }),
    ),
    ...(cluster.history.crashed < bounds.crashes
      ? universe
          .restarted(local)
          .map((as) => afterCrash(histories, cluster, { type: 'crash', at, as }))
      : []),
  ])
}

/** The turns that a server may take: of one event, or of two in either order. */
function turnsOf(
  bounds: Bounds,
  cluster: Cluster,
  local: Local,
): readonly (readonly Happening[])[] {
  const single = happeningsOf(bounds, cluster, local)
  const alone = single.map((happening) => [happening])
  if (bounds.turn === 1) return alone
  const pairs = single.flatMap((first) =>
    single
      .filter((second) => canFollow(bounds, cluster, local, first, second))
      .map((second) => [first, second]),
  )
  return [...alone, ...pairs]
}

function canFollow(
  { crashes: _, ...bounds }: Bounds,
  { letters, history }: Cluster,
  { server }: Local,
  first: Happening,
  second: Happening,
): boolean {
  if (first.again === true && second.again === true) return false
  if (first.letter !== undefined && first.letter === second.letter) {
    return letters.filter((letter) => letter === first.letter).length > 1
  }
  if (first.key !== second.key)
    return first.fact.type !== 'applied' && second.fact.type !== 'applied'
  switch (first.fact.type) {
    case 'saved':
      return server.pending.length > 1
    case 'proposed':
      return history.proposed + 1 < bounds.entries
    default:
      return false
  }
}

function happeningsOf(
  bounds: Bounds,
  { letters, history }: Cluster,
  local: Local,
): readonly Happening[] {
  const { id, state, pending } = local.server
  const mine = letters.filter(
    (letter, i) => letter.envelope.to === id && letters.indexOf(letter) === i,
  )
  const happenings = mine.flatMap((letter) => arrivals(bounds, history, letter))
  const add = (fact: Fact, key: string = fact.type) => happenings.push({ fact, key })
  if (pending.length > 0) add({ type: 'saved' })
  if (state.role.type !== 'leader') {
    if (state.term < bounds.terms) add({ type: 'electionTimeout' })
  } else {
    if (state.role.round < bounds.pulses) add({ type: 'heartbeatTimeout' })
    add({ type: 'quorumTimeout' })
    const number = history.proposed + 1
    if (number <= bounds.entries) add({ type: 'proposed', number }, `proposed ${number}`)
  }
  const ticket = history.asked + 1
  if (ticket <= bounds.reads) add({ type: 'read', ticket }, `read ${ticket}`)
  if (bounds.reads > 0 && state.appliedIndex < state.commitIndex) {
    add({ type: 'applied' }, `applied ${state.commitIndex}`)
  }
  return happenings
}

/** A message arrives once or again, and, where loyalty matters, soon or late. */
function arrivals(bounds: Bounds, { repeated }: History, letter: Letter): readonly Happening[] {
  const { envelope, number } = letter
  const times =
    bounds.loyal && envelope.message.type === 'requestVote'
      ? ([LATE, SOON] as const)
      : ([LATE] as const)
  return times.flatMap((at) => {
    const fact: Fact = { type: 'received', envelope, at }
    const once: Happening = { fact, key: `letter ${number} at ${at}`, letter }
    return repeated < bounds.duplicates ? [once, { ...once, again: true }] : [once]
  })
}

function afterTurn(
  universe: Universe,
  histories: Histories,
  cluster: Cluster,
  move: Extract<Move, { type: 'turn' }>,
): readonly Successor[] {
  const { at, happenings } = move
  const old = cluster.locals[at]!
  const facts = happenings.map(({ fact }) => fact)
  const outcome = universe.turn(old, happenings.map(({ key }) => key).join(' + '), facts)
  if (!isWithin(universe.bounds, outcome.local)) return []
  const findings: Finding[] = [...outcome.findings]
  const wrong: Wrong = (invariant, message) => findings.push({ invariant, message })
  const turned = histories.turned(cluster.history, old, facts, outcome, wrong)
  const history = happenings.some(({ again }) => again) ? histories.repeated(turned) : turned
  const used = happenings.flatMap(({ letter, again }) =>
    letter === undefined || again ? [] : [letter],
  )
  const letters = [...without(cluster.letters, used), ...outcome.sent]
  const locals = cluster.locals.with(at, outcome.local)
  return losses(letters, universe.bounds.messages).map(({ kept, lost }) => ({
    move,
    lost,
    sent: outcome.sent,
    findings,
    cluster: { locals, letters: kept, history },
  }))
}

/**
 * A read makes a leader send a pulse, and a question repeated after its answer makes it send another: a
 * message that is late enough can make them go on for ever.
 */
function isWithin({ terms, pulses, reads }: Bounds, { server: { state } }: Local): boolean {
  const { role, term } = state
  return term <= terms && (role.type !== 'leader' || role.round <= pulses + 2 * reads)
}

/** A server crashes, and is started again on what its disk holds: nobody hears of it in between. */
function afterCrash(
  histories: Histories,
  cluster: Cluster,
  move: Extract<Move, { type: 'crash' }>,
): Successor {
  const locals = cluster.locals.with(move.at, move.as)
  const history = histories.crashed(cluster.history, move.as.server.id)
  return { move, lost: [], sent: [], findings: [], cluster: { ...cluster, locals, history } }
}

const without = (letters: readonly Letter[], used: readonly Letter[]): readonly Letter[] =>
  used.reduce((left, letter) => {
    const at = left.indexOf(letter)
    return at < 0 ? left : left.toSpliced(at, 1)
  }, letters)

/** A choice of messages that stay in flight. */
interface Loss {
  readonly kept: readonly Letter[]
  readonly lost: readonly Letter[]
}

/**
 * A message that stays in flight for ever is as good as lost. So losses are chosen only where more are
 * in flight than may be: then each choice of those that stay.
 */
function losses(letters: readonly Letter[], most: number): readonly Loss[] {
  const sorted = [...letters].sort((a, b) => a.number - b.number)
  return lose(sorted, Math.max(0, sorted.length - most), 0)
}

/** Each way to lose `count` of the letters from a place on; of equal ones it does not matter which. */
function lose(letters: readonly Letter[], count: number, from: number): readonly Loss[] {
  if (count === 0) return [{ kept: letters, lost: [] }]
  return letters.flatMap((letter, i) =>
    i < from || (i > from && letter === letters[i - 1])
      ? []
      : lose(letters.toSpliced(i, 1), count - 1, i).map(({ kept, lost }) => ({
          kept,
          lost: [letter, ...lost],
        })),
  )
}
