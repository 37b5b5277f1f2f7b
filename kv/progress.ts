import type { ServerResponse } from 'node:http'
import { asyncScheduler, interval, type Observable, throttleTime } from 'rxjs'
import { send, type Reply } from './replies.ts'

/** Something to tell while an answer is still to come, and then the answer itself. */
export interface News {
  readonly event: string
  readonly data: object
}

/** Milliseconds between two pieces of news, at least. */
const PAUSE = 200

/**
 * Streams what happens as server-sent events, the last of which is the answer. A failure is an ordinary reply
 * while nothing was said, and afterwards an event `error` with the status among its fields.
 */
export function narrate(
  news$: Observable<News>,
  refused: (error: unknown) => Reply,
  response: ServerResponse,
  keepAlive = 15_000,
): undefined {
  const say = (text: string): void => {
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    }
    response.write(text)
  }
  const alive = interval(keepAlive).subscribe(() => say(': still here\n\n'))
  const fail = (error: unknown): void => {
    const reply = refused(error)
    if (!response.headersSent) return send(response, reply)
    const { status, body } = reply
    const fields = JSON.parse(Buffer.from(body as string).toString()) as object
    say(eventOf({ event: 'error', data: { status, ...fields } }))
    response.end()
  }
  news$
    .pipe(throttleTime(PAUSE, asyncScheduler, { leading: true, trailing: true }))
    .subscribe({
      next: (news) => say(eventOf(news)),
      error: fail,
      complete: () => response.end(),
    })
    .add(alive)
  return undefined
}

const eventOf = ({ event, data }: News): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
