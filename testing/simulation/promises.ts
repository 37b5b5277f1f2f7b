import type { Millis } from '../../lib/types.ts'
import type { ServerClock } from './serverClock.ts'

/** A promise may be kept so many ms late: a server that wakes up finds its timers one after another. */
const SLACK = 50

/** What servers have promised to tell, and whether they do in time. */
export class Promises {
  /** How many are neither kept nor broken off. */
  open = 0

  constructor(private readonly broken: (message: string) => void) {}

  /** Notes a promise to be kept within so many ms of the server's clock, by calling the returned function. */
  made(what: string, clock: ServerClock, within: Millis): () => void {
    this.open++
    let timer = clock.after(within, () => {
      timer = clock.after(SLACK, () => this.broken(`${what} took more than ${within} ms`))
    })
    return () => {
      clock.cancel(timer)
      this.open--
    }
  }
}
