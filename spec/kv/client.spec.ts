import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { call } from '../../kv/client.ts'
import { containing, listen } from './support.ts'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** A server that answers so, with the paths that were asked of it. */
async function answering(listener: RequestListener): Promise<{ url: string; paths: string[] }> {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(`${request.method} ${request.url}`)
    request.resume().on('end', () => listener(request, response))
  })
  servers.push(server)
  return { url: await listen(server), paths }
}

const ok: RequestListener = (_request, response) => void response.end('here')

const unavailable: RequestListener = (_request, response) =>
  void response.writeHead(503, { 'retry-after': '1' }).end('{"error":"not-leader"}')

const redirecting =
  (to: () => string): RequestListener =>
  ({ url }, response) =>
    void response.writeHead(307, { location: to() + url }).end()

/** An address where nobody listens. */
async function nowhere(): Promise<string> {
  const server = createServer()
  const url = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return url
}

const get = { method: 'GET', path: '/kv/x' } as const
const put = { method: 'PUT', path: '/kv/x', body: Buffer.from('x') } as const

describe('redirects', () => {
  it('are followed, with the path and the value as they were', async () => {
    const bodies: string[] = []
    const leader = await answering((_request, response) => void response.end('written'))
    servers.at(-1)!.prependListener('request', (request) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()))
    })
    const follower = await answering(redirecting(() => leader.url))
    const path = '/kv/a%2F../b/../c?d=%20'
    const answer = await call({ ...put, path }, { servers: [follower.url] })
    expect(answer).toMatchObject({ status: 200, server: leader.url })
    expect(leader.paths).toEqual([`PUT ${path}`])
    expect(bodies).toEqual(['x'])
  })

  it('in a circle are followed five times for each server, and are an error once patience is over [F49]', async () => {
    const first: { url: string; paths: string[] } = await answering(redirecting(() => second.url))
    const second = await answering(redirecting(() => first.url))
    const options = { servers: [first.url, second.url], patience: 0 }
    await expect(call(put, options)).rejects.toMatchObject({
      code: 'too-many-redirects',
      message: containing(first.url),
    })
    expect(first.paths.length + second.paths.length).toBe(12)
  })

  it('in a circle end when one of the two leads after all [F49]', async () => {
    let asked = 0
    const first: { url: string; paths: string[] } = await answering(redirecting(() => second.url))
    const second = await answering((request, response) =>
      (++asked < 5 ? redirecting(() => first.url) : ok)(request, response),
    )
    expect((await call(put, { servers: [first.url] })).server).toBe(second.url)
  })

  it('to what is no address are an error', async () => {
    const { url } = await answering(redirecting(() => 'ftp://elsewhere'))
    await expect(call(get, { servers: [url] })).rejects.toMatchObject({ code: 'bad-redirect' })
  })

  it('to a leader that is down are an error, once patience is over [F49]', async () => {
    const down = await nowhere()
    const { url, paths } = await answering(redirecting(() => down))
    await expect(call(put, { servers: [url], patience: 300 })).rejects.toMatchObject({
      code: 'leader-unreachable',
      message: containing(down),
    })
    expect(paths.length).toBeGreaterThan(1)
  })
})

describe('a server that is down', () => {
  it('is passed over for the next', async () => {
    const { url } = await answering(ok)
    const options = { servers: [await nowhere(), url] }
    expect((await call(put, options)).body.toString()).toBe('here')
  })

  it('is an error at once when all are', async () => {
    const all = [await nowhere(), await nowhere()]
    await expect(call(get, { servers: all, patience: 60_000 })).rejects.toMatchObject({
      code: 'unreachable',
      message: containing(all[0]!),
    })
  })
})

describe('a cluster without a leader', () => {
  it('is asked again until there is one', async () => {
    let asked = 0
    const { url } = await answering((request, response) =>
      (++asked < 4 ? unavailable : ok)(request, response),
    )
    expect((await call(put, { servers: [await nowhere(), url] })).status).toBe(200)
    expect(asked).toBe(4)
  })

  it('waits for room on a disk that is full', async () => {
    let asked = 0
    const full: RequestListener = (_request, response) =>
      void response.writeHead(507, { 'retry-after': '1' }).end('{"error":"no-space"}')
    const { url } = await answering((request, response) =>
      (++asked < 3 ? full : ok)(request, response),
    )
    expect((await call(put, { servers: [url] })).status).toBe(200)
    expect(asked).toBe(3)
  })

  it('answers that there is none, once patience is over', async () => {
    const { url } = await answering(unavailable)
    expect((await call(get, { servers: [url], patience: 300 })).status).toBe(503)
  })
})

describe('a server that breaks off', () => {
  const breaking: RequestListener = (request) => void request.socket.destroy()

  it('leaves the outcome of a write unknown, which is not sent again [F42]', async () => {
    const first = await answering(breaking)
    const second = await answering(ok)
    await expect(call(put, { servers: [first.url, second.url] })).rejects.toMatchObject({
      code: 'unknown-outcome',
    })
    expect(second.paths).toEqual([])
  })

  it('in the middle of its answer leaves it unknown too [F42]', async () => {
    const { url } = await answering((request, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('12345', () => request.socket.destroy())
    })
    await expect(call(put, { servers: [url] })).rejects.toMatchObject({ code: 'unknown-outcome' })
  })

  it('is passed over by a read', async () => {
    const first = await answering(breaking)
    const second = await answering(ok)
    const answer = await call(get, { servers: [first.url, second.url] })
    expect(answer.server).toBe(second.url)
  })
})

describe('a write with an idempotency key', () => {
  const named = { ...put, headers: { 'idempotency-key': 'k' } }
  const breaking: RequestListener = (request) => void request.socket.destroy()
  const unknown: RequestListener = (_request, response) =>
    void response.writeHead(504).end('{"outcome":"unknown"}')

  it.each([
    ['breaks off', breaking],
    ['does not know what became of it', unknown],
  ])('is sent again where a server %s, under the same key [F42]', async (_what, listener) => {
    const first = await answering(listener)
    const keys: unknown[] = []
    const second = await answering(({ headers }, response) => {
      keys.push(headers['idempotency-key'])
      response.end('here')
    })
    const answer = await call(named, { servers: [first.url, second.url] })
    expect(answer).toMatchObject({ status: 200, server: second.url })
    expect(first.paths).toHaveLength(1)
    expect(keys).toEqual(['k'])
  })

  it('is asked for until somebody can tell, also when nobody is up meanwhile', async () => {
    let asked = 0
    const { url } = await answering((request, response) =>
      (++asked < 4 ? breaking : ok)(request, response),
    )
    expect((await call(named, { servers: [await nowhere(), url] })).status).toBe(200)
    expect(asked).toBe(4)
  })

  it('stays unknown once it may have been received, whatever refuses it later [F42]', async () => {
    let asked = 0
    const { url, paths } = await answering((request, response) =>
      (++asked < 2 ? breaking : unavailable)(request, response),
    )
    const options = { servers: [url], patience: 300 }
    await expect(call(named, options)).rejects.toMatchObject({ code: 'unknown-outcome' })
    expect(paths.length).toBeGreaterThan(1)
  })
})

describe('a server that is silent', () => {
  it('is waited for no longer than it may be silent', async () => {
    const { url } = await answering(() => undefined)
    const options = { servers: [url], timeout: 100, patience: 0 }
    await expect(call(put, options)).rejects.toMatchObject({ code: 'unknown-outcome' })
    await expect(call(get, options)).rejects.toMatchObject({ code: 'unreachable' })
  })
})
