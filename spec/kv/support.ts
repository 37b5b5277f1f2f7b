import { request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { raft, type Message, type RaftOptions, type Transport } from 'rxraft'
import { memory } from 'rxraft/storage/memory'
import {
  concatMap,
  filter,
  from,
  ignoreElements,
  interval,
  map,
  merge,
  type Observable,
  Subscription,
} from 'rxjs'
import { expect } from 'vitest'
import { Clock } from '../../kv/clock.ts'
import { passTime } from '../../kv/expiry.ts'
import { History, type HistoryLimits } from '../../kv/history.ts'
import { api } from '../../kv/http.ts'
import {
  store,
  type Answer,
  type Command,
  type Question,
  type Result,
  type Store,
  type StoreNode,
} from '../../kv/machine.ts'
import type { Service } from '../../kv/service.ts'

/** Matchers whose type is not `any`. */
export const aText: unknown = expect.any(String)
export const aNumber: unknown = expect.any(Number)
export const containing = (text: string): unknown => expect.stringContaining(text)

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The body as JSON. */
  readonly json: Readonly<Record<string, unknown>>
}

export interface AskOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** A request whose path goes out exactly as it is written here. */
export function ask(base: string, path: string, options: AskOptions = {}): Promise<Reply> {
  const { method = 'GET', headers = {}, body } = options
  return new Promise((resolve, reject) => {
    const outgoing = request(base, { method, path, headers, agent: false }, (response) => {
      buffer(response).then((bytes) => {
        const text = bytes.toString()
        const isJson = response.headers['content-type'] === 'application/json'
        const json = (isJson ? JSON.parse(text) : {}) as Reply['json']
        resolve({ status: response.statusCode!, headers: response.headers, text, json })
      }, reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Has a server listen on loopback, on a free port unless one is named. */
export async function listen(server: Server, port = 0): Promise<string> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export interface Running {
  readonly url: string
  readonly node: StoreNode
  readonly history: History
  readonly ask: (path: string, options?: AskOptions) => Promise<Reply>
  readonly put: (key: string, body: string, headers?: Record<string, string>) => Promise<Reply>
  /** How many clients are connected. */
  readonly clients: () => Promise<number>
  readonly stop: () => void
}

type Options = Partial<RaftOptions<Store, Command, Result, Question, Answer>>

const running: Running[] = []

/** Where servers are, as the configuration says it. */
export const places = {
  a: '127.0.0.1:7001 http://127.0.0.1:8001',
  b: '127.0.0.1:7002 http://127.0.0.1:8002',
}

const quick = { heartbeat: 5, electionTimeout: [10, 20] as const }

/** The HTTP API over a real node: by default a cluster of one, in memory. */
export async function start(
  options: Options & {
    readonly limits?: HistoryLimits
    readonly service?: Partial<Omit<Service, 'clock'>>
    readonly port?: number
    readonly elapsed?: () => number
  } = {},
): Promise<Running> {
  const { limits, service, port, elapsed, ...rest } = options
  const node = raft({ id: 'a', machine: store, addresses: places, ...quick, ...rest })
  const history = new History(node, limits)
  const clock = new Clock(node, elapsed)
  const cluster = 'rxraft'
  const server = api({ node, cluster, history, maxValueBytes: 1024 * 1024, ...service, clock })
  const url = await listen(server, port)
  const connection = new Subscription()
  connection.add(passTime(node, clock, 20).subscribe({ error: () => undefined }))
  connection.add(node.connect())
  const it: Running = {
    url,
    node,
    history,
    ask: (path, more) => ask(url, path, more),
    put: (key, body, headers = {}) => ask(url, `/kv/${key}`, { method: 'PUT', body, headers }),
    clients: () =>
      new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
    stop: () => {
      connection.unsubscribe()
      server.close()
      server.closeAllConnections()
    },
  }
  running.push(it)
  return it
}

export function stopAll(): void {
  for (const it of running.splice(0)) it.stop()
}

const three = { members: ['a', 'b', 'c'], heartbeat: 20, electionTimeout: [60, 90] as const }

/** A member whose peers never answer. */
export const alone = (): Options => ({
  ...three,
  storage: memory(),
  transport: (outbound$) => outbound$.pipe(ignoreElements()),
})

/** A member that hears from a leader, b. */
export const led = (): Options => ({
  ...three,
  storage: memory(),
  transport: fromB((outbound$) =>
    merge(
      outbound$.pipe(ignoreElements()),
      interval(10).pipe(
        map((round): Message => ({ type: 'heartbeat', term: 7, commit: 0, commitTerm: 0, round })),
      ),
    ),
  ),
})

/** A member that b elects, but whose entries b never acknowledges. */
export const stuck = (): Options => ({
  ...three,
  storage: memory(),
  transport: fromB((outbound$) =>
    outbound$.pipe(
      filter(({ to }) => to === 'b'),
      concatMap(({ message }) => from(assent(message))),
    ),
  ),
})

function assent(message: Message): Message[] {
  const { type, term } = message
  if (type === 'requestVote') return [{ type: 'vote', term, pre: message.pre, granted: true }]
  if (type === 'heartbeat') return [{ type: 'heartbeatReply', term, round: message.round }]
  return []
}

type Outbound = Parameters<Transport>[0]

function fromB(say: (outbound$: Outbound) => Observable<Message>): Transport {
  return (outbound$) => say(outbound$).pipe(map((message) => ({ from: 'b', to: 'a', message })))
}

/** Asks again until there is an answer: an awaited condition. */
export async function eventually<T>(
  what: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const found = await what()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error('it did not happen within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
