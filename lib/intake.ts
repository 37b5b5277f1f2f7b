import type { Batch } from './batch.ts'
import type { Event, Proposed } from './events.ts'
import { passOn } from './forwarding.ts'
import { append, bytesAfter } from './log.ts'
import { leaderOf, progressOf, type Leader, type State } from './state.ts'
import { answer, update, write, type Step, type Turn } from './turn.ts'
import type { Index, NodeId, Term } from './types.ts'

/** What a leader makes of commands that are to enter its log. */
export type Verdict =
  | { readonly type: 'accepted'; readonly index: Index; readonly term: Term }
  | { readonly type: 'overloaded' }
  | { readonly type: 'noSpace' }
  | { readonly type: 'notLeader'; readonly leader: NodeId | undefined }

/** Commands are to enter the log, a leader's own or through it; what they came to is told by their ticket (§5.3). */
export function proposed(turn: Turn, proposal: Proposed): Turn {
  const { role } = turn.state
  if (role.type !== 'leader') return passOn(turn, proposal)
  const [taken, verdict] = takeIn(turn, role, proposal)
  return answer(taken, { ...verdict, ticket: proposal.ticket })
}

/** Commands enter the leader's log, unless something stands against it. */
export function takeIn(
  turn: Turn,
  leader: Leader,
  { kind, count, bytes }: Pick<Batch, 'kind' | 'count' | 'bytes'>,
): readonly [Turn, Verdict] {
  const { log, term, isShortOfSpace } = turn.state
  if (isShortOfSpace) return [turn, { type: 'noSpace' }]
  // Who is to lead next must not have to catch up without end.
  if (leader.transfer !== undefined)
    return [turn, { type: 'notLeader', leader: leader.transfer.to }]
  if (isOverloaded(turn.state, leader)) return [turn, { type: 'overloaded' }]
  const batch = { index: log.lastIndex + 1, term, kind, count, bytes }
  const written = write(update(turn, { log: append(log, [batch]) }), [batch])
  return [written, { type: 'accepted', index: batch.index, term }]
}

/**
 * Whether commands may enter the log again after they were refused as too many. What waits at its leader a follower
 * does not know: it may ask once a pulse.
 */
export function mayTakeIn({ state, events }: Step): boolean {
  const { role } = state
  if (role.type === 'leader') return !isOverloaded(state, role)
  const isPulse = (event: Event): boolean =>
    event.type === 'received' && event.envelope.message.type === 'heartbeat'
  return leaderOf(state) === undefined || events.some(isPulse)
}

function isOverloaded(state: State, leader: Leader): boolean {
  const { log, commitIndex, appliedIndex, config } = state
  // What the others commit without this server's disk waits for the disk all the same, and then for the machine.
  const settled = Math.min(commitIndex, appliedIndex, progressOf(leader, config.id)?.match ?? 0)
  return bytesAfter(log, settled) > config.maxUncommittedBytes
}
