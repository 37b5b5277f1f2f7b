import type { OperatorFunction } from 'rxjs'
import type { Envelope } from '../lib/messages.ts'
import type { DiskFact, DiskRequest, Notice } from '../lib/storage.ts'

/**
 * A disk: the identity that takes its time. The first thing that it emits is `Restored`; after that,
 * one `Saved` for each `Save`, in order, once it is durable. Pieces of snapshots are answered in an order of
 * their own, so that a long snapshot holds up no save. It errors when it can no longer promise
 * that, and never retries on the same file. Unsubscribing closes it.
 *
 * ```
 * saves    --------a-b-----c|
 * storage  ---R-----a-b-----c|
 * ```
 */
export type Storage = OperatorFunction<DiskRequest, DiskFact>

/**
 * A network: outbound in, inbound out. It may lose, repeat, delay or reorder; it never invents or
 * alters. A peer that is down is not an error. Unsubscribing closes every socket.
 *
 * ```
 * outbound   --a----b------
 * transport  -----x----y---
 * ```
 */
export type Transport = OperatorFunction<Envelope, Envelope | Notice>
