import type { Operation } from '../../testing/checkers/linearizability.ts'
import type { Request, Response } from '../../testing/checkers/observation.ts'

/** What an attempt brought: the response, and for a write that took effect its place in the log. */
export interface Outcome {
  readonly response: Response
  readonly index?: number
}

/** What is known of one write: its index when it is acknowledged, else whether it may have happened. */
export interface Write {
  readonly key: string
  readonly value: string
  readonly outcome: number | 'unknown' | 'none'
}

/** What the clients did and what came of it. */
export class History {
  readonly operations: Operation[] = []
  readonly writes: Write[] = []
  /** Operations that were answered, with a result. */
  acknowledged = 0

  async record(
    client: number,
    request: Request,
    attempt: () => Promise<Outcome>,
  ): Promise<Response> {
    const invoked = performance.now()
    const { response, index } = await attempt()
    const returned = response.type === 'unknown' ? undefined : performance.now()
    if (response.type === 'ok') this.acknowledged++
    this.operations.push({ client, request, invoked, returned, response })
    if (request.type !== 'get') {
      const outcome = index ?? (response.type === 'unknown' ? 'unknown' : 'none')
      this.writes.push({ key: request.key, value: request.value, outcome })
    }
    return response
  }
}
