import { pack } from './batch.ts'
import { settledThrough } from './configurations.ts'
import { append } from './log.ts'
import { encodeMembers, isSameList, resolve, serversOf, votes } from './members.ts'
import { priorityOf, withPriorities } from './priorities.ts'
import { unknownProgress } from './progress.ts'
import {
  changedLeader,
  leaderOf,
  progressOf,
  type Changing,
  type Leader,
  type State,
} from './state.ts'
import type { Unchanged } from './errors.ts'
import { abdicate } from './transfer.ts'
import { answer, update, write, type Turn } from './turn.ts'
import { hindrance } from './witnesses.ts'
import type { Members, NodeId, Plan } from './types.ts'

/**
 * Changes of the members (§6). New voters first listen until they have caught up; then the leader writes a
 * joint configuration, in which the old voters and the new ones both have to agree, and when that is
 * committed the new one alone. Whoever leads then completes what is joint.
 */

/** A new server that has not caught up after so many rounds is too slow (thesis §4.2.1). */
const ROUNDS = 10

/** Somebody wants other members. */
export function changeWanted(turn: Turn, ticket: number, plan: Plan): Turn {
  const { state } = turn
  const { role } = state
  if (role.type !== 'leader') {
    return answer(turn, { type: 'unchanged', ticket, reason: 'notLeader', leader: leaderOf(state) })
  }
  const reason = objection(turn, role, plan)
  if (reason !== undefined) return refuse(turn, ticket, reason)
  const target = resolve(state.members, plan)
  if (isMet(state.members, target)) {
    return answer(turn, { type: 'changed', ticket, index: state.members.index })
  }
  const round = { index: state.log.lastIndex, at: turn.at, number: 1 }
  const begun = lead(turn, role, { changing: { ticket, plan, round } })
  return newcomers(state.members, target).length > 0 ? listen(begun, target) : leave(begun, target)
}

/** New voters listen first, together with whoever is only to listen. */
function listen(turn: Turn, target: Target): Turn {
  const { members } = turn.state
  const listening = target.learners.filter((id) => !votes(members, id))
  const learners = [...new Set([...listening, ...newcomers(members, target)])].sort()
  if (isSameList(learners, members.learners)) return turn
  const witnesses = [...members.witnesses, ...target.witnesses]
  const addresses = { ...members.addresses, ...target.addresses }
  return configure(turn, { ...members, learners, witnesses, addresses }, target.priorities)
}

const newcomers = (members: Members, { voters }: Pick<Target, 'voters'>): readonly NodeId[] =>
  voters.filter((id) => !votes(members, id))

type Target = ReturnType<typeof resolve>

function objection(turn: Turn, role: Leader, plan: Plan): Unchanged | undefined {
  const { members, commitIndex } = turn.state
  if (role.changing !== undefined || members.outgoing.length > 0) return 'busy'
  // Two leaders could otherwise each commit a change that the other has never seen.
  if (commitIndex < role.firstIndex) return 'early'
  if (members.index > commitIndex) return 'busy'
  if (plan.expected !== undefined && plan.expected !== members.index) return 'conflict'
  const target = resolve(members, plan)
  if (target.voters.length === 0) return 'empty'
  const quorum = isHeard(turn, role, target.voters) ? undefined : 'quorum'
  return hindrance(members, plan, target) ?? quorum
}

/** Whether a majority of these voters is new, to be heard yet, or was heard lately. */
function isHeard({ state, at }: Turn, role: Leader, voters: readonly NodeId[]): boolean {
  const { config, members } = state
  const heard = voters.filter((id) => {
    const contact = progressOf(role, id)?.contact ?? -Infinity
    return id === config.id || !votes(members, id) || at - contact < config.electionTimeoutMax
  })
  return heard.length * 2 > voters.length
}

const isMet = (
  members: Members,
  { voters, learners, addresses, priorities = {} }: Target,
): boolean =>
  isSameList(members.voters, voters) &&
  isSameList(members.learners, learners) &&
  Object.entries(addresses).every(([id, address]) => members.addresses[id] === address) &&
  [...voters, ...learners].every((id) => priorityOf(members, id) === (priorities[id] ?? 0))

/** At the end of a leader's turn: the change goes on as far as it can. */
export function changeMembers(turn: Turn): Turn {
  const { state } = turn
  if (state.role.type !== 'leader') return turn
  const settled = settledThrough(state.configurations, state.commitIndex)
  const pruned = settled === state.configurations ? turn : update(turn, { configurations: settled })
  return watchServers(proceed(pruned))
}

function proceed(turn: Turn): Turn {
  const { role, members, commitIndex } = turn.state
  if (role.type !== 'leader' || members.index > commitIndex || commitIndex < role.firstIndex) {
    return turn
  }
  if (members.outgoing.length > 0) {
    // Whoever was sent away before that change leaves its end to the next leader.
    const isServing = votes(members, turn.state.config.id)
    return isServing ? configure(turn, { ...members, outgoing: [] }) : stepAside(turn)
  }
  const { changing } = role
  if (changing === undefined) return stepAside(turn)
  const target = resolve(members, changing.plan)
  if (isMet(members, target)) {
    const { ticket } = changing
    const done = lead(turn, role, { changing: undefined })
    return stepAside(answer(done, { type: 'changed', ticket, index: members.index }))
  }
  return catchUp(turn, role, changing, target)
}

/** Whoever leads without a vote has just committed that, and leads no longer (§6): whoever has most is next. */
function stepAside(turn: Turn): Turn {
  const { role, members, config } = turn.state
  return role.type !== 'leader' || votes(members, config.id) ? turn : abdicate(turn, role)
}

/** Rounds of replication, until one was as quick as an election is slow (thesis §4.2.1). */
function catchUp(turn: Turn, role: Leader, changing: Changing, target: Target): Turn {
  const { state, at } = turn
  const { round } = changing
  // Whoever is silent has not caught up, whatever it holds: with its vote the leader could at once be cut off.
  const reached = Math.min(
    ...newcomers(state.members, target).map((id) => {
      const { contact = -Infinity, match = 0 } = progressOf(role, id) ?? {}
      return at - contact < state.config.electionTimeoutMax ? match : 0
    }),
  )
  const isLate = at - round.at >= state.config.electionTimeoutMin
  if (reached < round.index)
    return isOver(turn, role, changing, target) ? giveUp(turn, role, 'slow') : turn
  if (!isLate) return leave(turn, target)
  if (round.number === ROUNDS) return giveUp(turn, role, 'slow')
  const next = { index: state.log.lastIndex, at, number: round.number + 1 }
  return lead(turn, role, { changing: { ...changing, round: next } })
}

/** A newcomer that is silent for long does not come. */
const isOver = ({ at, state }: Turn, role: Leader, { round }: Changing, target: Target): boolean =>
  newcomers(state.members, target).some((id) => {
    const contact = progressOf(role, id)?.contact ?? round.at
    return at - contact > ROUNDS * state.config.electionTimeoutMax
  })

function giveUp(turn: Turn, role: Leader, reason: Unchanged): Turn {
  const { changing } = role
  if (changing === undefined) return turn
  return refuse(lead(turn, role, { changing: undefined }), changing.ticket, reason)
}

const refuse = (turn: Turn, ticket: number, reason: Unchanged): Turn =>
  answer(turn, { type: 'unchanged', ticket, reason, leader: leaderOf(turn.state) })

/** The old configuration goes: by way of a joint one when the voters change. */
function leave(turn: Turn, { voters, learners, addresses, ...target }: Target): Turn {
  const { members } = turn.state
  const outgoing = isSameList(members.voters, voters) ? [] : members.voters
  // Whoever leaves is told so until it is done.
  const known = outgoing.length > 0 ? { ...members.addresses, ...addresses } : addresses
  const witnesses = [...members.witnesses, ...target.witnesses]
  const next = { ...members, voters, learners, outgoing, witnesses, addresses: known }
  return configure(turn, next, target.priorities)
}

/** Writes a configuration, which is in force from here on (§6). */
function configure(turn: Turn, next: Members, priorities = next.priorities): Turn {
  const { log, term, configurations } = turn.state
  const index = log.lastIndex + 1
  const members = withPriorities({ ...next, index, ...detailsOf(next) }, priorities)
  const bytes = pack([encodeMembers(members)])
  const batch = { index, term, kind: 'members', count: 1, bytes } as const
  return write(
    update(turn, { log: append(log, [batch]), configurations: [...configurations, members] }),
    [batch],
  )
}

/** Only of servers that are in it. */
function detailsOf(members: Members): Pick<Members, 'witnesses' | 'addresses'> {
  const servers = serversOf(members)
  const addresses = Object.entries(members.addresses).filter(([id]) => servers.includes(id))
  return {
    witnesses: servers.filter((id) => members.witnesses.includes(id)),
    addresses: Object.fromEntries(addresses),
  }
}

/** A leader sends to everybody in the configuration in force, and in one that is not yet committed away. */
function watchServers(turn: Turn): Turn {
  const { state, at } = turn
  const { role } = state
  if (role.type !== 'leader' || isWatching(state, role)) return turn
  const servers = serversOf(...state.configurations)
  if (
    isSameList(
      servers,
      role.progress.map(({ id }) => id),
    )
  ) {
    return turn
  }
  const progress = servers.map(
    (id) => progressOf(role, id) ?? unknownProgress(id, state.log.lastIndex, at),
  )
  return update(turn, { role: changedLeader(role, { progress }) })
}

/** Most of the time nothing changes. A leader knows all servers, and perhaps some that have gone. */
function isWatching({ configurations, members }: State, { progress }: Leader): boolean {
  const { voters, outgoing, learners } = members
  const isSettled = configurations.length === 1 && outgoing.length === 0
  return isSettled && progress.length === voters.length + learners.length
}

/** A leader that steps down leaves the change to its successor. */
export function abandonChange(turn: Turn): Turn {
  const { role } = turn.state
  if (role.type !== 'leader' || role.changing === undefined) return turn
  const { ticket } = role.changing
  return answer(turn, { type: 'unchanged', ticket, reason: 'deposed', leader: undefined })
}

const lead = (turn: Turn, role: Leader, change: Partial<Leader>): Turn =>
  update(turn, { role: changedLeader(role, change) })

/** Entries that the slowest new voter lacks in this round. */
export function entriesLeft({ role, members }: State): number {
  if (role.type !== 'leader' || role.changing === undefined) return 0
  const { plan, round } = role.changing
  const coming = newcomers(members, resolve(members, plan))
  const matches = coming.map((id) => progressOf(role, id)?.match ?? 0)
  return Math.max(0, round.index - Math.min(round.index, ...matches))
}
