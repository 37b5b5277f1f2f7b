import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { events, type ServerSent } from './events.ts'

export interface Ask {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Path and query, percent-encoded. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Hears what the server says before its answer is complete, when it says it in events. */
  readonly hear?: (event: ServerSent) => void
}

export interface Answer {
  /** Who answered. */
  readonly server: string
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/**
 * A request without an answer. `unreachable`: it was not sent, or it was only a question.
 * `leader-unreachable`: the same, of the leader that a server named. `unknown-outcome`: it was sent,
 * and may have taken effect.
 */
export class ClientError extends Error {
  constructor(
    readonly code:
      | 'unreachable'
      | 'leader-unreachable'
      | 'unknown-outcome'
      | 'too-many-redirects'
      | 'bad-redirect',
    message: string,
  ) {
    super(message)
    this.name = 'ClientError'
  }
}

/** One request to one server, and its whole answer. */
export async function send(server: string, ask: Ask, timeout: number): Promise<Answer> {
  const response = await open(server, ask, timeout)
  const { statusCode = 0, headers } = response
  try {
    const isTold = headers['content-type'] === 'text/event-stream'
    if (isTold) return { server, headers, ...(await lastOf(response, ask)) }
    return { server, status: statusCode, headers, body: await buffer(response) }
  } catch (error) {
    throw lost(server, ask, error, true)
  }
}

/** The answer that comes as the last event: `done`, or `error` with the status among its fields. */
async function lastOf(
  response: IncomingMessage,
  { hear }: Ask,
): Promise<Pick<Answer, 'status' | 'body'>> {
  for await (const it of events(response)) {
    const body = Buffer.from(it.data)
    if (it.event === 'done') return { status: 200, body }
    if (it.event === 'error') return { status: statusIn(body), body }
    hear?.(it)
  }
  throw new Error('the answer breaks off')
}

/** One request to one server: its answer as it begins. `timeout` is for silence, then and later. */
export function open(server: string, ask: Ask, timeout: number): Promise<IncomingMessage> {
  const { method, path, headers = {}, body } = ask
  return new Promise((resolve, reject) => {
    let isSent = false
    // A connection of its own: an idle one that the server closes at that moment would lose a write.
    const outgoing = request(server, { method, path, headers, agent: false, timeout })
    outgoing.on('socket', (socket) => socket.once('connect', () => (isSent = true)))
    outgoing.on('timeout', () => outgoing.destroy(new Error(`silent for ${timeout} ms`)))
    outgoing.on('error', (error) => reject(lost(server, ask, error, isSent)))
    outgoing.on('response', resolve)
    outgoing.end(body)
  })
}

function lost(server: string, { method }: Ask, error: unknown, isSent: boolean): ClientError {
  const reason = error instanceof Error ? error.message || String(codeOf(error)) : String(error)
  if (!isSent || method === 'GET') {
    return new ClientError('unreachable', `${server} cannot be reached: ${reason}`)
  }
  return new ClientError(
    'unknown-outcome',
    `${server} did not answer: ${reason}. The write may have taken effect`,
  )
}

/** What an `AggregateError` of several addresses has instead of a message. */
const codeOf = (error: Error): unknown => (error as NodeJS.ErrnoException).code

/** An answer that is a failure, with what the server said about it. */
export class Refused extends Error {
  readonly status: number
  readonly code: string

  constructor({ server, status, body }: Answer) {
    const { error, message } = problemIn(body)
    super(message ?? `${server} answered with status ${status}`)
    this.name = 'Refused'
    this.status = status
    this.code = error ?? 'refused'
  }
}

interface Problem {
  readonly status?: number
  readonly error?: string
  readonly message?: string
}

function problemIn(body: Buffer): Problem {
  try {
    return (JSON.parse(body.toString()) ?? {}) as Problem
  } catch {
    return {}
  }
}

const statusIn = (body: Buffer): number => problemIn(body).status ?? 500
