import { lastIndexOf } from '../../lib/batch.ts'
import type {
  Append,
  Declined,
  FingerprintClaim,
  Forward,
  Forwarded,
  Install,
  Message,
} from '../../lib/messages.ts'
import type { Index, Term } from '../../lib/types.ts'
import { MAX_INTEGER } from './integers.ts'

const MAX_CHECKSUM = 2 ** 32 - 1

/** Visible characters of ASCII, which are one byte each. */
const FINGERPRINT = /^[!-~]{1,64}$/

/**
 * What about a message no server that follows the protocol would ever say, or `undefined`. Both ends
 * ask: nothing that this refuses leaves, and nothing that this refuses arrives.
 */
export function illegal(message: Message): string | undefined {
  switch (message.type) {
    case 'requestVote': {
      const { term, pre, handedOver, lastIndex, lastTerm } = message
      if (pre && handedOver) return 'a question in advance is never handed over'
      if (lastTerm > term) return `lastTerm ${lastTerm} is after term ${term}`
      return termAtZero('last', lastIndex, lastTerm)
    }
    case 'append':
      return illegalAppend(message)
    case 'rejected': {
      const { term, prevIndex, hintIndex, hintTerm } = message
      if (hintIndex > prevIndex) return `hintIndex ${hintIndex} is after prevIndex ${prevIndex}`
      if (hintTerm > term) return `hintTerm ${hintTerm} is after term ${term}`
      return termAtZero('hint', hintIndex, hintTerm)
    }
    case 'heartbeat': {
      const { term, commit, commitTerm } = message
      if (commitTerm > term) return `commitTerm ${commitTerm} is after term ${term}`
      return termAtZero('commit', commit, commitTerm)
    }
    case 'install':
      return illegalInstall(message)
    case 'fingerprint':
      return illegalClaim(message)
    case 'forward':
    case 'forwarded':
    case 'declined':
      return illegalPassing(message)
    case 'vote':
    case 'appended':
    case 'heartbeatReply':
    case 'readIndex':
    case 'readIndexReply':
    case 'installed':
    case 'timeoutNow':
    case 'roundTrip':
      return undefined
  }
}

function illegalClaim({ index, value }: FingerprintClaim): string | undefined {
  if (index < 1) return 'a fingerprint of nothing'
  return FINGERPRINT.test(value) ? undefined : 'what it calls a fingerprint is none'
}

function illegalAppend({ term, prevIndex, prevTerm, batches }: Append): string | undefined {
  if (prevTerm > term) return `prevTerm ${prevTerm} is after term ${term}`
  let index = prevIndex
  let highest = prevTerm
  for (const batch of batches) {
    if (batch.index !== index + 1) return `a batch begins at ${batch.index}, not at ${index + 1}`
    if (batch.count < 1) return `the batch at ${batch.index} has no entries`
    if (batch.term < highest) return `the term falls from ${highest} to ${batch.term}`
    if (batch.term > term) return `an entry's term ${batch.term} is after term ${term}`
    // The sum itself would be rounded, down to what is allowed.
    if (batch.count - 1 > MAX_INTEGER - batch.index) return `${batch.count} entries are too many`
    index = lastIndexOf(batch)
    highest = batch.term
  }
  return termAtZero('prev', prevIndex, prevTerm)
}

function illegalInstall({ term, index, indexTerm, checksum }: Install): string | undefined {
  if (indexTerm > term) return `indexTerm ${indexTerm} is after term ${term}`
  if (index < 1) return 'a snapshot of nothing'
  return checksum > MAX_CHECKSUM ? `checksum ${checksum} has over 32 bits` : undefined
}

function illegalPassing(message: Forward | Forwarded | Declined): string | undefined {
  switch (message.type) {
    case 'forward': {
      const { sequence, lowest, count } = message
      if (lowest > sequence) return `lowest ${lowest} is after sequence ${sequence}`
      return count < 1 ? 'a batch has no entries' : undefined
    }
    case 'forwarded':
      return message.index < 1 ? 'no entry has index 0' : undefined
    case 'declined':
      return message.isShortOfSpace && message.isLeaving ? 'two reasons at once' : undefined
  }
}

/** Before the first entry there is no term. */
function termAtZero(name: string, index: Index, term: Term): string | undefined {
  return index === 0 && term !== 0 ? `${name}Term is ${term} at ${name}Index 0` : undefined
}
