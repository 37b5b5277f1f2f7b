import type { Event } from './events.ts'
import { progressOf, type State } from './state.ts'

/**
 * Whether nobody waits for what an event brings, so that it may be reduced together with the next one: an answer to a
 * pulse that says no more than that a follower is there. It counts from when it came, and the next pulse is a turn.
 */
export function isUnhurried({ role, term, config }: State, event: Event): boolean {
  if (event.type !== 'received' || role.type !== 'leader') return false
  const { from, message } = event.envelope
  if (message.type !== 'heartbeatReply' || message.term !== term) return false
  // Reads and leases live on these answers, and what was lost is found by them.
  if (role.reads.length > 0 || config.lease > 0) return false
  const progress = progressOf(role, from)
  return progress?.inflight.length === 0 && progress.sending === undefined
}
