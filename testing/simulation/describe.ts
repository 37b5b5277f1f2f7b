import type { Append, Envelope, Message } from '../../lib/messages.ts'
import type { Piece } from '../../lib/turn.ts'
import type { Bound, Request, Response } from '../checkers/observation.ts'
import type { FaultEvent } from './faults.ts'

/** A message on one line: `a>b append@3 7@2 [8+2@3] commit 6`. */
export const describe = ({ from, to, message }: Envelope): string =>
  `${from}>${to} ${message.type}@${message.term} ${details(message)}`

function details(message: Message): string {
  switch (message.type) {
    case 'requestVote':
      return `${message.pre ? 'pre ' : ''}${message.lastIndex}@${message.lastTerm}`
    case 'vote':
      return `${message.pre ? 'pre ' : ''}${message.granted ? 'yes' : 'no'}`
    case 'append':
      return describeAppend(message)
    case 'roundTrip':
      return `${message.ms} ms`
    case 'timeoutNow':
      return ''
    case 'fingerprint':
      return `${message.index} ${message.value}`
    case 'appended':
      return `${message.match}`
    case 'rejected':
      return `${message.prevIndex} hint ${message.hintIndex}@${message.hintTerm}`
    case 'heartbeat':
      return `${message.round} commit ${message.commit}@${message.commitTerm}`
    case 'heartbeatReply':
      return `${message.round}`
    case 'readIndex':
      return `${message.ticket}`
    case 'readIndexReply':
      return `${message.ticket} ${message.index}`
    case 'forward':
      return `${message.channel} ${message.sequence} +${message.count}`
    case 'forwarded':
      return `${message.channel} ${message.sequence} ${message.index}`
    case 'declined':
      return `${message.channel} ${message.sequence}`
    case 'install': {
      const { index, indexTerm: term, members } = message
      return describePiece({ ...message, mark: { index, term, members } })
    }
    case 'installed':
      return `${message.index} ${message.end}`
  }
}

function describeAppend({ prevIndex, prevTerm, batches, commit }: Append): string {
  const entries = batches.map(({ index, count, term }) => `${index}+${count}@${term}`)
  return `${prevIndex}@${prevTerm} [${entries.join(' ')}] commit ${commit}`
}

/** A piece of a snapshot: `7@2 4096+100 last`. */
export function describePiece({ mark, offset, bytes, isLast }: Piece): string {
  return `${mark.index}@${mark.term} ${offset}+${bytes.length}${isLast ? ' last' : ''}`
}

export function describeRequest(request: Request): string {
  switch (request.type) {
    case 'get':
      return `get ${request.key}${describeBound(request)}`
    case 'cas':
      return `cas ${request.key} ${request.expected ?? '-'} ${request.value}`
    case 'put':
    case 'append':
      return `${request.type} ${request.key} ${request.value}`
  }
}

const describeBound = ({ within, atLeast }: Bound): string =>
  within !== undefined ? ` within ${within}` : atLeast === undefined ? '' : ` at least ${atLeast}`

export const describeResponse = (response: Response): string =>
  response.type === 'ok' ? `ok ${response.value ?? '-'} ${response.swapped ?? '-'}` : response.type

/** A fault on one line, with all of its data. */
export function describeFault({ at: _, type, ...data }: FaultEvent): string {
  return `fault ${type} ${JSON.stringify(data)}`
}
