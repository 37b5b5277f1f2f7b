import { lastIndexOf } from './batch.ts'
import type { Append, Forward, Message } from './messages.ts'
import type { State } from './state.ts'

/**
 * Whether a message could have been sent by a server that follows the protocol. One that could not is
 * dropped and counted, whatever is wrong with its sender.
 */
export function isPlausible(message: Message, state: State): boolean {
  switch (message.type) {
    case 'append':
      return isConsecutive(message)
    case 'appended':
      return message.term !== state.term || message.match <= state.log.lastIndex
    case 'rejected':
      return message.hintIndex <= message.prevIndex
    case 'install':
      return message.indexTerm <= message.term
    case 'forward':
      return isInWindow(message)
    default:
      return true
  }
}

/** Entries follow `prevIndex` without a gap, in terms that never fall and never pass the leader's. */
function isConsecutive({ term, prevIndex, prevTerm, batches }: Append): boolean {
  let index = prevIndex
  let highest = prevTerm
  for (const batch of batches) {
    if (batch.index !== index + 1 || batch.count < 1) return false
    if (batch.term < highest || batch.term > term) return false
    index = lastIndexOf(batch)
    highest = batch.term
  }
  return highest <= term
}

/** Messages that may be in flight to one server, whatever its options. */
const MAX_WINDOW = 65_536

const isInWindow = ({ sequence, lowest, count }: Forward): boolean =>
  count >= 1 && lowest <= sequence && sequence - lowest < MAX_WINDOW
