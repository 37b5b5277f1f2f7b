import { Observable } from 'rxjs'
import type { Orders } from './orders.ts'

/** An order as an Observable of what came of it. */
export const ordered = <W, T>(orders: Orders<W, T>, what: W): Observable<T> =>
  new Observable((subscriber) =>
    orders.order(what, {
      done: (result) => {
        subscriber.next(result)
        subscriber.complete()
      },
      fail: (error) => subscriber.error(error),
    }),
  )
