import type { ServerResponse } from 'node:http'
import { endWith, fromEvent, ignoreElements, interval, merge, takeUntil } from 'rxjs'
import type { Index } from 'rxraft'
import type { Change, History } from './history.ts'
import { Reader } from './reader.ts'
import { refuse } from './replies.ts'
import { encodeValue } from './values.ts'

export interface WatchOptions {
  readonly prefix: string
  /** Changes from this index on. */
  readonly from: Index
  /** Milliseconds between signs of life. Default 15,000. */
  readonly keepAlive?: number
}

/**
 * Streams changes as server-sent events, one each, until the client or the node goes away. A reader is
 * a position in the history that all share: one that falls behind costs no memory, and is told so in an
 * event `error` and let go when the history has moved past it; or let go when nothing could be written
 * to it between two signs of life.
 */
export function watch(response: ServerResponse, history: History, options: WatchOptions): void {
  const { prefix, from, keepAlive = 15_000 } = options
  if (from < history.first) {
    const { error, message, first } = compacted(history)
    throw refuse(410, error, message, { fields: { first } })
  }
  const reader = new Reader(history, prefix, from)
  let isStuck = false

  const write = (): void => {
    if (response.writableEnded) return
    if (!response.writableNeedDrain) isStuck = false
    while (!response.writableNeedDrain) {
      const change = reader.read()
      if (change === undefined) return
      if (change === 'forgotten') return void response.end(eventOf('error', compacted(history)))
      response.write(eventOfChange(change))
    }
  }
  const signal = (): void => {
    write()
    if (response.writableEnded || response.writableNeedDrain) {
      if (isStuck) return void response.destroy()
      isStuck = true
    } else {
      // An id without data makes no event, yet a client resumes after it: it never falls behind
      // merely because nothing with its prefix happens.
      response.write(`: still here\nid: ${Math.max(history.last, from - 1)}\n\n`)
    }
  }

  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(`id: ${from - 1}\n\n`)
  write()
  const over$ = merge(
    fromEvent(response, 'close'),
    history.grown$.pipe(ignoreElements(), endWith('stopped')),
  )
  merge(history.grown$, fromEvent(response, 'drain')).pipe(takeUntil(over$)).subscribe(write)
  interval(keepAlive)
    .pipe(takeUntil(over$))
    .subscribe({ next: signal, complete: () => response.end() })
}

const compacted = ({ first }: History) => ({
  error: 'compacted',
  message: `changes before index ${first} are no longer kept: read the keys again`,
  first,
})

const eventOf = (event: string, data: object): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** Who resumes after an event of several with one index gets all of them: none would come otherwise. */
function eventOfChange(change: Change): string {
  const { type, key, version } = change
  const isDeletion = change.type === 'delete'
  const value = isDeletion ? change.expired && { expired: true } : encodeValue(change.value)
  const id = isDeletion && change.more ? version - 1 : version
  return `id: ${id}\ndata: ${JSON.stringify({ type, key, version, ...value })}\n\n`
}
