import { createServer, STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { NoState } from 'rxraft'
import { problem, refuse, replyTo, replyToWrite, send, type Reply } from './replies.ts'
import { targetOf } from './requests.ts'
import { find } from './routes.ts'
import { glance, type Service } from './service.ts'

/**
 * The HTTP API. It stands on `node:http` alone: keys reach it as they were sent, where a router that
 * parses URLs would resolve the dots in a key such as `a/../b`.
 */
export function api(service: Service): Server {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT }, (request, response) => {
    answer(service, request, response)
      .then((reply) => reply && send(response, reply))
      .catch(() => response.destroy())
  })
  server.on('upgrade', (request, socket, head) => {
    if (request.url?.split('?')[0] !== WEB_CLIENTS) stay(server, request, socket, head)
  })
  return server.on('clientError', refuseBytes)
}

/** Where clients of `rxraft/kv` ask for a WebSocket. */
export const WEB_CLIENTS = '/clients'

/** Milliseconds that a request may take to arrive. */
const REQUEST_TIMEOUT = 60_000

async function answer(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Reply | undefined> {
  try {
    const url = request.url ?? '/'
    const { path, params } = targetOf(url)
    const found = find(path)
    if (found === undefined) throw refuse(404, 'unknown-path', `there is nothing at ${path}`)
    const { route, rest } = found
    const handler = route.get(request.method ?? 'GET')
    if (handler === undefined) return notAllowed(request.method, [...route.keys()].join(', '))
    return await handler(service, { request, response, url, rest, params })
  } catch (error) {
    // A witness has nothing to answer from, and the leader has.
    if (error instanceof NoState)
      return replyToWrite(error, request.url ?? '/', glance(service.node))
    return replyTo(error)
  }
}

const notAllowed = (method: string | undefined, allow: string): Reply =>
  problem(405, 'method-not-allowed', `${method} is not among what is allowed here: ${allow}`, {
    headers: { allow },
  })

/**
 * Whoever offers to speak something else, as some do with their first request, is answered as if it had not: its request is
 * read again, without the offer.
 */
function stay(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request
  const headers = rawHeaders.flatMap((name, i) =>
    i % 2 === 1 || name.toLowerCase() === 'upgrade' ? [] : [`${name}: ${rawHeaders[i + 1]}`],
  )
  const lines = [`${method} ${url} HTTP/${httpVersion}`, ...headers, '', '']
  socket.unshift(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), head]))
  server.emit('connection', socket)
}

/** Answers what is not HTTP, or is too much or too slow to be a request. */
function refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = STATUSES.get(error.code) ?? 400
  const { body } = problem(status, 'bad-request', error.message)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${String(body)}`,
  )
}

const STATUSES = new Map<string | undefined, number>([
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_HEADER_OVERFLOW', 431],
])
