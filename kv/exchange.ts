import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'

export interface Ask {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  /** Path and query, percent-encoded. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
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
  const body = await buffer(response).catch((error: unknown) => {
    throw lost(server, ask, error, true)
  })
  return { server, status: statusCode, headers, body }
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

function problemIn(body: Buffer): { error?: string; message?: string } {
  try {
    return (JSON.parse(body.toString()) ?? {}) as { error?: string; message?: string }
  } catch {
    return {}
  }
}
