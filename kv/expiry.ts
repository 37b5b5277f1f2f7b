import { whileLeader } from 'rxraft/operators'
import {
  catchError,
  EMPTY,
  exhaustMap,
  expand,
  filter,
  ignoreElements,
  map,
  timer,
  type Observable,
} from 'rxjs'
import type { Clock } from './clock.ts'
import { MAX_EXPIRED, type StoreNode } from './machine.ts'

/** Milliseconds between two entries that tell the time. */
const PERIOD = 1_000

type Node = Pick<StoreNode, 'role$' | 'query' | 'propose'>

/**
 * Has the log tell the time while this server leads and there are keys that expire: what is due goes with the
 * entry that says so. Must be subscribed to before the node connects.
 */
export const passTime = (
  node: Node,
  clock: Pick<Clock, 'now'>,
  period = PERIOD,
): Observable<never> =>
  node.role$.pipe(
    whileLeader(() =>
      timer(period, period).pipe(
        // A proposal that fails is made up for by the next.
        exhaustMap(() => tellTime(node, clock).pipe(catchError(() => EMPTY))),
      ),
    ),
    ignoreElements(),
  )

/** Tells the time, and again at once while more is due than goes with one entry. */
const tellTime = (node: Node, clock: Pick<Clock, 'now'>): Observable<number> =>
  node.query({ type: 'clock' }, { consistency: 'stale' }).pipe(
    exhaustMap(({ next }) => (next === undefined ? EMPTY : stamp(node, clock.now()))),
    expand((expired) => (expired < MAX_EXPIRED ? EMPTY : stamp(node, clock.now()))),
  )

/** How many keys go with an entry that tells the time. */
const stamp = (node: Node, now: number): Observable<number> =>
  node.propose(['time', now]).pipe(
    filter((progress) => progress.type === 'applied'),
    map(({ result }) => (result.ok ? (result.expired?.length ?? 0) : 0)),
  )
