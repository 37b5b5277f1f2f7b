import { lastIndexOf, type Batch } from '../../lib/batch.ts'
import type { Message } from '../../lib/messages.ts'
import type { Violation } from './explore.ts'
import type { Successor } from './moves.ts'
import { SOON, type Fact, type Server } from './server.ts'
import type { Letter } from './universe.ts'

/** The moves to a violation, a line each, and what is wrong at the end. */
export const schedule = ({ path, findings }: Violation): readonly string[] => [
  ...describePath(path),
  ...findings.map(({ invariant, message }) => `VIOLATED ${invariant}: ${message}`),
]

/**
 * ```
 *  7. b takes a → b append 0@0 [1@1] commit 0     b@1 follower [1@1] commit 0, disk @1 []
 * ```
 */
export const describePath = (path: readonly Successor[]): readonly string[] =>
  path.map((successor, i) => {
    const { cluster, move, lost, sent } = successor
    const what = `${String(i + 1).padStart(3)}. ${describeMove(successor)}`
    const server = describeServer(cluster.locals[move.at]!.server)
    const mail = [
      ...sent.map((letter) => `→ ${describe(letter)}`),
      ...lost.map((letter) => `✗ ${describe(letter)}`),
    ]
    return [`${what.padEnd(60)} ${server}`, ...mail.map((line) => `       ${line}`)].join('\n')
  })

function describeMove({ move, cluster }: Successor): string {
  const { id } = cluster.locals[move.at]!.server
  if (move.type === 'crash') return `${id} crashes and starts again`
  return move.happenings
    .map(
      ({ fact, again }) =>
        `${id} ${describeFact(fact)}${again === true ? ', of which a copy stays' : ''}`,
    )
    .join(', and in the same turn ')
}

function describeFact(fact: Fact): string {
  switch (fact.type) {
    case 'received': {
      const soon = fact.at === SOON ? ', its leader heard a moment ago' : ''
      return `hears from ${fact.envelope.from}: ${describeMessage(fact.envelope.message)}${soon}`
    }
    case 'saved':
      return 'has its oldest save on disk'
    case 'electionTimeout':
      return 'has waited for a leader long enough'
    case 'heartbeatTimeout':
      return 'is due to send its pulse'
    case 'quorumTimeout':
      return 'has not heard a quorum for long'
    case 'proposed':
      return `is asked to commit command ${fact.number}`
    case 'read':
      return `is asked for read ${fact.ticket}`
    case 'applied':
      return 'has applied what is committed'
  }
}

const describe = ({ envelope: { from, to, message } }: Letter): string =>
  `${from} → ${to} ${describeMessage(message)}`

/** A message as in `requestVote @2 pre last 1@1`: an entry is index@term. */
function describeMessage(message: Message): string {
  switch (message.type) {
    case 'requestVote': {
      const { term, pre, lastIndex, lastTerm } = message
      return `requestVote @${term}${pre ? ' in advance' : ''}, log to ${lastIndex}@${lastTerm}`
    }
    case 'vote':
      return `vote @${message.term}${message.pre ? ' in advance' : ''} ${message.granted ? 'granted' : 'refused'}`
    case 'append': {
      const { term, prevIndex, prevTerm, batches, commit } = message
      return `append @${term} after ${prevIndex}@${prevTerm} ${entries(batches)} commit ${commit}`
    }
    case 'appended':
      return `appended @${message.term} through ${message.match}`
    case 'rejected':
      return `rejected @${message.term} ${message.prevIndex}, try ${message.hintIndex}@${message.hintTerm}`
    case 'heartbeat':
      return `heartbeat @${message.term} round ${message.round} commit ${message.commit}@${message.commitTerm}`
    case 'heartbeatReply':
      return `heartbeatReply @${message.term} round ${message.round}`
    case 'readIndex':
      return `readIndex @${message.term} read ${message.ticket}`
    case 'readIndexReply':
      return `readIndexReply @${message.term} read ${message.ticket} at ${message.index}`
    case 'forward':
    case 'forwarded':
    case 'declined':
      return `${message.type} @${message.term} batch ${message.sequence}`
    case 'roundTrip':
      return `roundTrip @${message.term} ${message.ms} ms`
    case 'timeoutNow':
      return `timeoutNow @${message.term}`
    case 'fingerprint':
      return `fingerprint @${message.term} of ${message.index}: ${message.value}`
    case 'install':
      return `install @${message.term} snapshot ${message.index}@${message.indexTerm} from ${message.offset}`
    case 'installed':
      return `installed @${message.term} snapshot ${message.index} through ${message.end}`
  }
}

function describeServer({ id, state, disk, pending }: Server): string {
  const { term, role, log, commitIndex } = state
  const saving = pending.length === 0 ? '' : `, ${pending.length} saving`
  const durable = `disk @${disk.term} ${disk.vote ?? '–'} ${entries(disk.batches)}${saving}`
  return `${id}@${term} ${role.type} ${entries(log.cells.slice(0, log.length))} commit ${commitIndex}, ${durable}`
}

const entries = (batches: readonly Batch[]): string =>
  `[${batches.map((batch) => `${lastIndexOf(batch)}@${batch.term}`).join(' ')}]`
