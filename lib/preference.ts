import { isOutranked, priorityOf } from './priorities.ts'
import { changedLeader, type Leader, type State } from './state.ts'
import { isFit, NOBODY } from './transfer.ts'
import { update, type Turn } from './turn.ts'
import type { Index, Millis, NodeId } from './types.ts'

/**
 * A leader hands over to a voter of a higher priority that has kept up for a while. Whoever gets the leadership in
 * this way does not get it again soon from the same server: it may be one that cannot keep it.
 */

/** Who is to lead rather than this server, as of the last look. */
export interface Favourite {
  /** `undefined` when nobody of a higher priority keeps up. */
  readonly id: NodeId | undefined
  /** Since when it has kept up without a break. */
  readonly since: Millis
  /** When the leader looked. */
  readonly seen: Millis
  /** What was committed then. */
  readonly committed: Index
}

/** For so many of the longest election timeouts it has to keep up without a break. */
const STEADY = 10
/** So many of them pass before it is handed over to the same server again. */
const AGAIN = 100

/** At the end of a leader's turn, once in the shortest election timeout. */
export function preferHigher(turn: Turn): Turn {
  const { state, at } = turn
  const { role, members, config } = state
  if (members.priorities === undefined || role.type !== 'leader') return turn
  const { favourite: last } = role
  const isTooSoon = last !== undefined && at - last.seen < config.electionTimeoutMin
  if (isTooSoon || !isOutranked(members, config.id)) return turn
  const id = favourite(state, role, at, last?.committed ?? Infinity)
  const since = id !== undefined && id === last?.id ? last.since : at
  const seen: Favourite = { id, since, seen: at, committed: state.commitIndex }
  const isSteady = at - since >= STEADY * config.electionTimeoutMax
  return id !== undefined && isSteady && isFree(state, role, id, at)
    ? begin(turn, role, id, seen)
    : update(turn, { role: changedLeader(role, { favourite: seen }) })
}

/** Of those with the highest priority, whoever has most. All of them have what was committed at the last look. */
function favourite(
  state: State,
  { progress }: Leader,
  at: Millis,
  committed: Index,
): NodeId | undefined {
  const { members, config } = state
  const rank = (id: NodeId): number => priorityOf(members, id)
  return progress
    .filter((one) => rank(one.id) > rank(config.id) && one.match >= committed)
    .filter((one) => isFit(state, one, at))
    .sort((a, b) => rank(b.id) - rank(a.id) || b.match - a.match)[0]?.id
}

/** Whether nothing else is under way, and it has not been tried lately. */
function isFree({ config, handed }: State, leader: Leader, to: NodeId, at: Millis): boolean {
  if (leader.transfer !== undefined || leader.changing !== undefined) return false
  return handed?.to !== to || at - handed.at >= AGAIN * config.electionTimeoutMax
}

const begin = (turn: Turn, role: Leader, to: NodeId, seen: Favourite): Turn =>
  update(turn, {
    handed: { to, at: turn.at },
    role: changedLeader(role, {
      favourite: seen,
      transfer: { ticket: NOBODY, to, since: turn.at, isTold: false },
    }),
  })
