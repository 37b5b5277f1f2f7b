import { Subscription, type Observable, type Subscriber } from 'rxjs'
import { Stopped } from '../lib/errors.ts'
import type { Slot } from './inOrder.ts'

/**
 * Keeps slots until `signal$` emits, when they begin again in their order. Of a node that ends before, the result
 * errors with `Stopped`.
 */
export function parking<T, U>(
  signal$: Observable<unknown>,
  begin: (slot: Slot<T, U>) => void,
  subscriber: Subscriber<U>,
): (slot: Slot<T, U>) => void {
  const parked: Slot<T, U>[] = []
  let watching: Subscription | undefined
  const stopped = (cause?: unknown): void =>
    subscriber.error(new Stopped('none', cause === undefined ? undefined : { cause }))
  const watch = (): Subscription => {
    // Added before, as the signal may come at once and be the end of it.
    const subscription = new Subscription()
    subscriber.add(subscription)
    const next = (): void => parked.splice(0).forEach(begin)
    subscription.add(signal$.subscribe({ next, error: stopped, complete: () => stopped() }))
    return subscription
  }
  return (slot) => {
    parked.push(slot)
    watching ??= watch()
  }
}
