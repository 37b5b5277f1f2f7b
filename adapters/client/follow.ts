import { Observable } from 'rxjs'
import type { RaftError } from '../../lib/errors.ts'
import type { Index } from '../../lib/types.ts'
import type { Codec } from '../../operators/codec.ts'
import type { Commit } from '../../operators/engine/node.ts'
import { ASK } from './codes.ts'
import type { Courier } from './courier.ts'
import type { Link } from './link.ts'

/** Every command from an index on, through whichever server there is: goes on behind the last one that came. */
export function follow<C>(courier: Courier, codec: Codec<C>, from: Index): Observable<Commit<C>> {
  return new Observable((subscriber) => {
    let next = from
    let stop = (): void => undefined
    const again = (): void => {
      stop = courier.board({
        board,
        fail: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    }
    const board = (link: Link): void => {
      const id = link.ask({
        write: (sheaf, id) => {
          sheaf.item(ASK.commits, id, 8)
          sheaf.u53(next)
        },
        committed: (bytes, index, term) => {
          next = index + 1
          subscriber.next({ index, term, command: codec.decode(bytes) })
        },
        failed: (error: RaftError) => {
          if (error.retryable) again()
          else subscriber.error(error)
        },
        dropped: again,
      })
      stop = () => link.cancel(id)
    }
    again()
    return () => stop()
  })
}
