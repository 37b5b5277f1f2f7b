import type { IncomingMessage, ServerResponse } from 'node:http'
import { firstValueFrom, lastValueFrom } from 'rxjs'
import type { NodeId, Status } from 'rxraft'
import type { History } from './history.ts'
import type { Answer, Command, Item, Question, Result, StoreNode } from './machine.ts'
import {
  json,
  problem,
  Refusal,
  replyTo,
  replyToWrite,
  unavailable,
  type Reply,
} from './replies.ts'
import { bodyOf, choiceOf, conditionOf, keyOf, wholeOf } from './requests.ts'
import { encodeValue } from './values.ts'
import { watch } from './watch.ts'

/** What the API stands on. */
export interface Service {
  readonly node: StoreNode
  readonly history: History
  /** The http address of each member, such as `http://127.0.0.1:8001`. */
  readonly addresses: ReadonlyMap<NodeId, string>
  /** Largest value, in bytes. */
  readonly maxValueBytes: number
  /** Milliseconds between signs of life to those who watch. Default 15,000. */
  readonly keepAlive?: number
}

export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Path and query as they were sent. */
  readonly url: string
  /** The path after `/kv/`, as it was sent. */
  readonly rest: string
  readonly params: URLSearchParams
}

/** Answers a call; with nothing when it writes the response itself. */
export type Handler = (service: Service, call: Call) => Reply | Promise<Reply> | undefined

/** What can be done with a path, by method. */
export type Route = ReadonlyMap<string, Handler>

/** Bytes of values that one list carries. */
const LIST_BYTES = 4 * 1024 * 1024

export const keyRoute: Route = new Map<string, Handler>([
  ['GET', read],
  ['PUT', put],
  ['DELETE', remove],
])

export const routes: ReadonlyMap<string, Route> = new Map([
  ['/kv', only(list)],
  ['/watch', only(follow)],
  ['/status', only(status)],
  ['/healthz', only(health)],
  ['/readyz', only(readiness)],
])

function only(get: Handler): Route {
  return new Map([['GET', get]])
}

async function put(service: Service, call: Call): Promise<Reply> {
  const key = keyOf(call.rest)
  const condition = conditionOf(call.request)
  const value = await bodyOf(call.request, service.maxValueBytes)
  return write(service, call, ['put', key, value, condition])
}

async function remove(service: Service, call: Call): Promise<Reply> {
  return write(service, call, ['delete', keyOf(call.rest), conditionOf(call.request)])
}

/** A client that goes away takes nothing back: what is proposed is waited for all the same. */
async function write({ node, addresses }: Service, call: Call, command: Command): Promise<Reply> {
  try {
    const end = await lastValueFrom(node.propose(command))
    if (end.type === 'abandoned') return replyTo(end.reason)
    if (end.type === 'applied') return replyToResult(end.result, end.term)
    throw new Error(`a proposal ended ${end.type}`)
  } catch (error) {
    return replyToWrite(error, call.url, addresses)
  }
}

function replyToResult(result: Result, term: number): Reply {
  const { version } = result
  if (result.ok) return json(200, { index: version, term })
  if (result.reason === 'not-found') return notFound()
  const found = version === 0 ? 'the key does not exist' : `the key's version is ${version}`
  return problem(412, 'condition-failed', found, {
    fields: { version: version === 0 ? null : version },
  })
}

const notFound = (): Reply => problem(404, 'not-found', 'the key does not exist')

async function read(service: Service, { rest, params }: Call): Promise<Reply> {
  const { items } = await ask(service, params, { type: 'get', key: keyOf(rest) })
  const item = items[0]
  if (item === undefined) return notFound()
  const headers = { 'content-type': 'application/octet-stream', etag: `"${item.version}"` }
  return { status: 200, headers, body: item.value }
}

async function list(service: Service, { params }: Call): Promise<Reply> {
  const { items, more, index } = await ask(service, params, {
    type: 'list',
    prefix: params.get('prefix') ?? '',
    after: params.get('after') ?? '',
    limit: wholeOf(params.get('limit'), 'limit', 1, 1000) ?? 100,
    bytes: LIST_BYTES,
  })
  return json(200, { items: items.map(listed), more, index })
}

const listed = ({ key, version, value }: Item) => ({ key, version, ...encodeValue(value) })

function ask({ node }: Service, params: URLSearchParams, question: Question): Promise<Answer> {
  const consistency = choiceOf(params, 'consistency', ['linearizable', 'stale'])
  return firstValueFrom(node.query(question, { consistency }))
}

function follow({ node, history, keepAlive }: Service, { request, response, params }: Call) {
  const seen = wholeOf(request.headers['last-event-id']?.toString(), 'Last-Event-ID', 0)
  const asked = wholeOf(params.get('from'), 'from', 1)
  const from = seen === undefined ? asked : seen + 1
  watch(response, history, {
    prefix: params.get('prefix') ?? '',
    from: from ?? Math.max(history.last, glance(node).commitIndex) + 1,
    ...(keepAlive === undefined ? {} : { keepAlive }),
  })
  return undefined
}

function status({ node, addresses }: Service): Reply {
  const { members, leader, ...now } = glance(node)
  return json(200, {
    ...now,
    leader: leader ?? null,
    members: members.voters.map((id) => ({ id, http: addresses.get(id) })),
  })
}

function health({ node }: Service): Reply {
  glance(node)
  return json(200, { ok: true })
}

function readiness({ node }: Service): Reply {
  const { leader, appliedIndex, commitIndex } = glance(node)
  if (leader === undefined) return unavailable('no-leader', 'no leader is known')
  if (appliedIndex < commitIndex) {
    return unavailable('behind', `applied ${appliedIndex} of ${commitIndex} committed entries`)
  }
  return json(200, { ok: true })
}

/** The node's present status, which `status$` replays. Throws what the node failed with. */
function glance({ status$ }: StoreNode): Status {
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
