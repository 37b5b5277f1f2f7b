import { catchError, concat, EMPTY, filter, map, of, timeout, type Observable } from 'rxjs'
import type { StoreNode } from './machine.ts'

/** Milliseconds that a last snapshot may take. */
const PATIENCE = 5_000

/**
 * What a server does before it stops, with a line for each: it lets another one lead, so that clients wait
 * for a round trip instead of an election, and then takes a snapshot, so that its next start reads a short
 * log. It can do without either, and completes when nobody is there to lead or the disk is slow.
 */
export function farewell(
  node: Pick<StoreNode, 'transfer' | 'snapshot'>,
  patience = PATIENCE,
): Observable<string> {
  const handedOver$ = node.transfer().pipe(
    map((successor) => `${successor} leads from now on`),
    catchError(() => EMPTY),
  )
  const taken$ = node.snapshot().pipe(
    timeout(patience),
    filter((index) => index > 0),
    map((index) => `a snapshot stands for everything through ${index}`),
    catchError((error: unknown) =>
      of(
        `there is no snapshot of the end: ${error instanceof Error ? error.message : String(error)}`,
      ),
    ),
  )
  return concat(handedOver$, taken$)
}
