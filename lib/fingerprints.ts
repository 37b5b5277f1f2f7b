import { Diverged } from './errors.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { FingerprintClaim } from './messages.ts'
import type { State } from './state.ts'
import { send, update, type Turn } from './turn.ts'
import type { NodeId } from './types.ts'

/**
 * Whether the servers' state machines agree. Each takes a fingerprint of its state at the same entries; the
 * leader tells its followers the latest of its own, and whoever has another one stops.
 */

/** So many are kept, for the claims of a leader that applies more slowly than this server. */
const KEPT = 64

/** The latest goes out with every so many pulses: none is missed for long, and few messages are. */
const PULSES = 16

/** The state machine has taken fingerprints. */
export function taken(turn: Turn, news: readonly Fingerprint[]): Turn {
  const { fingerprints, isHollow } = turn.state
  // A witness has no state to speak of.
  if (isHollow) return turn
  const { awaited } = fingerprints
  const found = news.find(({ index }) => index === awaited?.index)
  if (awaited !== undefined && found !== undefined) compare(turn.state, found, awaited)
  const isOver = awaited !== undefined && awaited.index <= news.at(-1)!.index
  return update(turn, {
    fingerprints: {
      taken: [...fingerprints.taken, ...news].slice(-KEPT),
      awaited: isOver ? undefined : awaited,
    },
  })
}

/** The leader says what its state was after an entry. */
export function claimed(turn: Turn, from: NodeId, { index, value }: FingerprintClaim): Turn {
  const { role, fingerprints, appliedIndex, isHollow } = turn.state
  if (role.type !== 'follower' || role.leader !== from || isHollow) return turn
  const claim = { index, value }
  const own = fingerprints.taken.find((it) => it.index === index)
  if (own !== undefined) compare(turn.state, own, claim)
  // A server that is always behind must not forget what it waits for.
  if (index <= appliedIndex || fingerprints.awaited !== undefined) return turn
  return update(turn, { fingerprints: { ...fingerprints, awaited: claim } })
}

function compare({ role }: State, own: Fingerprint, { value }: Fingerprint): void {
  if (own.value === value) return
  const leader = role.type === 'follower' ? role.leader : undefined
  throw new Diverged(own.index, own.value, value, leader)
}

/** At a leader's pulse. */
export function claim(turn: Turn, round: number): Turn {
  const { fingerprints, role, term, config } = turn.state
  const latest = fingerprints.taken.at(-1)
  if (latest === undefined || round % PULSES !== 0 || role.type !== 'leader') return turn
  return role.progress.reduce(
    (sent, { id }) =>
      id === config.id ? sent : send(sent, id, { type: 'fingerprint', term, ...latest }),
    turn,
  )
}
