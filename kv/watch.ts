import type { ServerResponse } from 'node:http'
import { endWith, fromEvent, ignoreElements, interval, merge, takeUntil } from 'rxjs'
import type { Index } from 'rxraft'
import type { Change, History } from './history.ts'
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
 * a position in the history that all share: one that falls behind costs no memory, and is let go when
 * the history has moved past it, or when nothing could be written to it between two signs of life.
 */
export function watch(response: ServerResponse, history: History, options: WatchOptions): void {
  const { prefix, from, keepAlive = 15_000 } = options
  if (from < history.first) {
    const message = `changes before index ${history.first} are no longer kept: read the keys again`
    throw refuse(410, 'compacted', message, { fields: { first: history.first } })
  }
  let position = history.seek(from)
  let isStuck = false

  const write = (): void => {
    if (!response.writableNeedDrain) isStuck = false
    while (position < history.end && !response.writableNeedDrain) {
      const change = history.at(position)
      if (change === undefined) return void response.destroy()
      if (change.version >= from && change.key.startsWith(prefix)) response.write(eventOf(change))
      position++
    }
  }
  const signal = (): void => {
    write()
    if (response.writableNeedDrain) {
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

function eventOf(change: Change): string {
  const { type, key, version } = change
  const value = change.type === 'put' ? encodeValue(change.value) : undefined
  return `id: ${version}\ndata: ${JSON.stringify({ type, key, version, ...value })}\n\n`
}
