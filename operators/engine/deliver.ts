import { map, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs'
import type { Event } from '../../lib/events.ts'
import type { Envelope } from '../../lib/messages.ts'
import type { Step } from '../../lib/turn.ts'
import type { Transport } from '../adapters.ts'
import { monotonic } from './monotonic.ts'

/**
 * Steps → what the peers say. Messages of a step go out in their order; what comes in is stamped and
 * becomes an event.
 *
 * ```
 * steps      --s--------t----     s sends two messages, t none
 * outbound   --(ab)----------
 * inbound    ------x---y-----
 * deliver    ------x---y-----
 * ```
 *
 * Errors when the transport does; completes when it completes.
 */
export function deliver(
  transport: Transport,
  scheduler: SchedulerLike = monotonic,
): OperatorFunction<Step, Event> {
  return (steps) =>
    steps.pipe(
      outbound,
      transport,
      map((heard) =>
        'message' in heard && 'from' in heard
          ? { type: 'received', at: scheduler.now(), envelope: heard }
          : { ...heard, at: scheduler.now() },
      ),
    )
}

const outbound: OperatorFunction<Step, Envelope> = (steps) =>
  new Observable((subscriber) =>
    steps.subscribe({
      next: ({ send, state }) => {
        const { addresses } = state.members
        for (const envelope of send) {
          const { to } = envelope
          const address = Object.hasOwn(addresses, to) ? addresses[to] : undefined
          subscriber.next(address === undefined ? envelope : { ...envelope, address })
        }
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    }),
  )
