import type { Event } from '../../lib/events.ts'
import type { Envelope } from '../../lib/messages.ts'
import type { Step } from '../../lib/turn.ts'

/** What a server heard from others in one turn. */
export function received({ events }: Step): readonly Envelope[] {
  const [only] = events
  if (events.length === 1) return only!.type === 'received' ? [only.envelope] : NOTHING
  return events.filter(isReceived).map(({ envelope }) => envelope)
}

const NOTHING: readonly Envelope[] = []

const isReceived = (event: Event): event is Extract<Event, { type: 'received' }> =>
  event.type === 'received'
