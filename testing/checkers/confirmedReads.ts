import type { Step } from '../../lib/turn.ts'
import type { NodeId, Term } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import { reachedByMost } from './majority.ts'
import type { MakeChecker } from './observation.ts'
import { received } from './received.ts'

interface Leadership {
  readonly term: Term
  /** The number of the last pulse. */
  pulse: number
  /** The last pulse that each follower has answered. */
  readonly answered: Map<NodeId, number>
  /** For each question, asked by whom and with which ticket, the last pulse before it. */
  readonly asked: Map<string, number>
}

/**
 * A leader answers a read, a follower's or its own, only when a majority has answered a pulse that went out
 * after the read came (thesis §6.4): not one that did before.
 */
export const confirmedReads: MakeChecker = (violate) => {
  const lives = new Lives<{ leadership: Leadership | undefined }>(() => ({ leadership: undefined }))
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
      if (memory.leadership?.term !== term) {
        memory.leadership = { term, pulse: 0, answered: new Map(), asked: new Map() }
      }
      const { leadership } = memory
      listen(leadership, id, step)
      const { answered, asked } = leadership
      const confirmed = reachedByMost(
        members.voters.map((voter) => (voter === id ? Infinity : (answered.get(voter) ?? 0))),
      )
      for (const question of answeredIn(step, id)) {
        const before = asked.get(question)
        asked.delete(question)
        if (before === undefined || confirmed > before) continue
        violate(`${id} answered a read with pulse ${confirmed}, asked after pulse ${before}`)
      }
    },
  }
}

/** Questions first, then the pulses that go out at the end of the turn. */
function listen(leadership: Leadership, id: NodeId, step: Step): void {
  const { asked, answered, term } = leadership
  const ask = (from: NodeId, ticket: number): void => {
    const question = `${from} ${ticket}`
    if (!asked.has(question)) asked.set(question, leadership.pulse)
  }
  for (const event of step.events) if (event.type === 'read') ask(id, event.ticket)
  for (const { from, message } of received(step)) {
    if (message.term !== term) continue
    if (message.type === 'readIndex') ask(from, message.ticket)
    if (message.type === 'heartbeatReply') {
      answered.set(from, Math.max(message.round, answered.get(from) ?? 0))
    }
  }
  for (const { message } of step.send) {
    if (message.type === 'heartbeat') leadership.pulse = Math.max(leadership.pulse, message.round)
  }
}

/** Reads that the turn answered, each as in {@link Leadership.asked}. */
const answeredIn = ({ answers, send }: Step, id: NodeId): string[] => [
  ...answers.flatMap(({ type, ticket }) => (type === 'readable' ? [`${id} ${ticket}`] : [])),
  ...send.flatMap(({ to, message }) =>
    message.type === 'readIndexReply' ? [`${to} ${message.ticket}`] : [],
  ),
]
