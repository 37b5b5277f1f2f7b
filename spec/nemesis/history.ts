import type { Operation } from '../../testing/checkers/linearizability.ts'
import type { BoundedRead } from './bounded.ts'
import type { Request, Response } from '../../testing/checkers/observation.ts'

/** What an attempt brought: the response, and for a write that took effect its place in the log. */
export interface Outcome {
  readonly response: Response
  readonly index?: number
  /** Whether it is the answer to an earlier attempt under the same idempotency key. */
  readonly isReplay?: boolean
}

/** What is known of one write: its index when it is acknowledged, else whether it may have happened. */
export interface Write {
  readonly key: string
  readonly value: string
  readonly outcome: number | 'unknown' | 'none'
  /** When that was known, in ms. */
  readonly returned?: number
}

/** What the clients did and what came of it. */
export class History {
  readonly operations: Operation[] = []
  readonly writes: Write[] = []
  /** Reads that may miss something, and say what. */
  readonly bounded: BoundedRead[] = []
  /** Operations that were answered, with a result. */
  acknowledged = 0
  /** Writes that were sent again and had been carried out by then. */
  replayed = 0

  /** The highest index that a client was told of. */
  newest = 0

  /** A read within a bound was answered. */
  looked(read: BoundedRead): void {
    this.bounded.push(read)
    this.acknowledged++
  }

  async record(
    client: number,
    request: Request,
    attempt: () => Promise<Outcome>,
  ): Promise<Response> {
    const invoked = performance.now()
    const { response, index, isReplay } = await attempt()
    const returned = response.type === 'unknown' ? undefined : performance.now()
    if (response.type === 'ok') this.acknowledged++
    if (isReplay === true) this.replayed++
    this.newest = Math.max(this.newest, index ?? 0)
    this.operations.push({ client, request, invoked, returned, response })
    if (request.type !== 'get') {
      const outcome = index ?? (response.type === 'unknown' ? 'unknown' : 'none')
      const { key, value } = request
      this.writes.push({ key, value, outcome, ...(returned !== undefined && { returned }) })
    }
    return response
  }
}
