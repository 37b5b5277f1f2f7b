import type { Step } from '../../lib/turn.ts'
import type { Millis, NodeId, Term } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import { isMajority, reachedByMost } from './majority.ts'
import type { MakeChecker } from './observation.ts'
import { received } from './received.ts'

interface Leadership {
  readonly term: Term
  /** The number of the last pulse. */
  pulse: number
  /** When each pulse went out that a lease may come to stand on. */
  readonly sent: Map<number, Millis>
  /** The last pulse that each follower has answered. */
  readonly answered: Map<NodeId, number>
  /** For each question, asked by whom and with which ticket, the last pulse before it. */
  readonly asked: Map<string, number>
  /** Questions that came while there was a lease. */
  readonly leased: Set<string>
  leaseEnd: Millis
  /** Somebody was told to campaign, and may do so at any time in this term. */
  isHandedOver: boolean
}

/**
 * A leader answers a read, a follower's or its own, only when a majority has answered a pulse that went out
 * after the read came (thesis §6.4): not one that did before. With a lease it may answer its own for so long after
 * a pulse that a majority has answered, counted from when it went out, unless it has told somebody to campaign
 * (§6.4.1); and nobody else has been elected then.
 */
export const confirmedReads: MakeChecker = (violate) => {
  const lives = new Lives<{ leadership: Leadership | undefined }>(() => ({ leadership: undefined }))
  let newest: Term = 0
  return {
    name: 'confirmed reads',
    observe: (seen) => {
      if (seen.type !== 'step') return
      const { id, step } = seen
      const { role, term, members } = step.state
      const memory = lives.of(id, seen.life)
      if (role.type !== 'leader') {
        memory.leadership = undefined
        return
      }
      newest = Math.max(newest, term)
      if (memory.leadership?.term !== term) memory.leadership = begun(term)
      const { leadership } = memory
      listen(leadership, id, step)
      const { answered, asked, leased } = leadership
      const confirmed = reachedByMost(members, (voter) =>
        voter === id ? Infinity : (answered.get(voter) ?? 0),
      )
      for (const question of answeredIn(step, id)) {
        const before = asked.get(question)
        const isLeased = leased.delete(question)
        asked.delete(question)
        if (before === undefined || confirmed > before) continue
        if (!isLeased) {
          violate(`${id} answered a read with pulse ${confirmed}, asked after pulse ${before}`)
        } else if (newest > term) {
          violate(
            `${id} answered a read in term ${term} by its lease, when term ${newest} had a leader`,
          )
        }
      }
      renew(leadership, confirmed, step)
    },
  }
}

const begun = (term: Term): Leadership => ({
  ...{ term, pulse: 0, sent: new Map(), answered: new Map(), asked: new Map(), leased: new Set() },
  ...{ leaseEnd: -Infinity, isHandedOver: false },
})

/** Questions first, then the pulses that go out at the end of the turn. */
function listen(leadership: Leadership, id: NodeId, step: Step): void {
  const { asked, answered, leased, sent, term } = leadership
  const isLeased = step.at < leadership.leaseEnd && !leadership.isHandedOver
  const ask = (from: NodeId, ticket: number): void => {
    const question = `${from} ${ticket}`
    if (!asked.has(question)) asked.set(question, leadership.pulse)
  }
  for (const event of step.events) {
    if (event.type !== 'read') continue
    ask(id, event.ticket)
    if (isLeased) leased.add(`${id} ${event.ticket}`)
  }
  for (const { from, message } of received(step)) {
    if (message.term !== term) continue
    if (message.type === 'readIndex') ask(from, message.ticket)
    if (message.type === 'heartbeatReply') {
      answered.set(from, Math.max(message.round, answered.get(from) ?? 0))
    }
  }
  for (const { message } of step.send) {
    if (message.type === 'timeoutNow') leadership.isHandedOver = true
    if (message.type !== 'heartbeat' || message.round <= leadership.pulse) continue
    leadership.pulse = message.round
    if (step.state.config.lease > 0) sent.set(message.round, step.at)
  }
}

/** Answers that came with the turn count from the next turn on. */
function renew(leadership: Leadership, confirmed: number, { state, at }: Step): void {
  const { sent } = leadership
  const { lease, id } = state.config
  if (lease === 0) return
  // Whoever is a majority alone waits for no answer: until now, nobody else was elected.
  if (isMajority(state.members, (voter) => voter === id)) leadership.leaseEnd = at + lease
  for (const [pulse, sentAt] of sent) {
    if (pulse > confirmed) break
    leadership.leaseEnd = Math.max(leadership.leaseEnd, sentAt + lease)
    sent.delete(pulse)
  }
}

/** Reads that the turn answered, each as in {@link Leadership.asked}. */
const answeredIn = ({ answers, send }: Step, id: NodeId): string[] => [
  ...answers.flatMap(({ type, ticket }) => (type === 'readable' ? [`${id} ${ticket}`] : [])),
  ...send.flatMap(({ to, message }) =>
    message.type === 'readIndexReply' ? [`${to} ${message.ticket}`] : [],
  ),
]
