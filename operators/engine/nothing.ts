import { concat, ignoreElements, map, of } from 'rxjs'
import type { Restored, Saved } from '../../lib/storage.ts'
import type { Storage, Transport } from '../adapters.ts'

const nothing: Restored = { type: 'restored', term: 0, vote: undefined, batches: [] }

/** The disk of a node that has none: it promises at once and remembers nothing. */
export const volatile: Storage = (saves) =>
  concat(
    of(nothing),
    saves.pipe(map(({ sequence, term }): Saved => ({ type: 'saved', sequence, term }))),
  )

/** The network of a node that has no peers. */
export const silent: Transport = (outbound) => outbound.pipe(ignoreElements())
