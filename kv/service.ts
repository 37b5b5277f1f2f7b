import type { IncomingMessage, ServerResponse } from 'node:http'
import { firstValueFrom } from 'rxjs'
import type { Status } from 'rxraft'
import type { Clock } from './clock.ts'
import type { History } from './history.ts'
import type { Answer, Question, StoreNode } from './machine.ts'
import { Refusal, unavailable, type Reply } from './replies.ts'
import { consistencyOf } from './requests.ts'
import { roundEnd } from './round.ts'

/** What the API stands on. */
export interface Service {
  readonly node: StoreNode
  /** What the cluster is called. */
  readonly cluster: string
  readonly history: History
  readonly clock: Pick<Clock, 'now'>
  /** Largest value, in bytes. */
  readonly maxValueBytes: number
  /** Milliseconds between signs of life to those who wait. Default 15,000. */
  readonly keepAlive?: number
}

export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Path and query as they were sent. */
  readonly url: string
  /** The path after `/kv/` or `/members/`, as it was sent. */
  readonly rest: string
  readonly params: URLSearchParams
}

/** Answers a call; with nothing when it writes the response itself. */
export type Handler = (
  service: Service,
  call: Call,
) => Reply | undefined | Promise<Reply | undefined>

/** What can be done with a path, by method. */
export type Route = ReadonlyMap<string, Handler>

/** Asks the store, as consistently as the parameters say. */
export async function query(
  { node }: Service,
  params: URLSearchParams,
  question: Question,
): Promise<Answer> {
  const consistency = consistencyOf(params)
  await roundEnd()
  return firstValueFrom(node.query(question, { consistency }))
}

/** The node's present status, which `status$` replays. Throws what the node failed with. */
export function glance({ status$ }: StoreNode): Status {
  let now: Status | undefined
  let failure: unknown
  status$
    .subscribe({ next: (status) => (now = status), error: (error: unknown) => (failure = error) })
    .unsubscribe()
  if (now !== undefined) return now
  throw new Refusal(unavailable('stopped', `the node is stopped${because(failure)}`))
}

const because = (failure: unknown): string =>
  failure instanceof Error ? `: ${failure.message}` : ''
