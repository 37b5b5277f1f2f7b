import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { StorageError, type Storage } from 'rxraft'
import { concat, of, throwError } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import {
  alone,
  aNumber,
  ask,
  aText,
  containing,
  eventually,
  led,
  type Running,
  start,
  stopAll,
  stuck,
} from './support.ts'

afterEach(stopAll)

/** A server that leads itself. */
async function leading(...args: Parameters<typeof start>): Promise<Running> {
  const running = await start(...args)
  await eventually(async () => (await running.ask('/readyz')).status === 200 || undefined)
  return running
}

describe('PUT, GET and DELETE of a key', () => {
  it('write, read and remove a value, with its index as version', async () => {
    const { put, ask } = await leading()
    const first = await put('x', 'hello')
    expect(first).toMatchObject({ status: 200, json: { index: aNumber, term: 1 } })
    const version = first.json.index as number

    const read = await ask('/kv/x')
    expect(read).toMatchObject({ status: 200, text: 'hello', headers: { etag: `"${version}"` } })

    const second = await ask('/kv/x', { method: 'DELETE' })
    expect(second).toMatchObject({ status: 200, json: { index: version + 1, term: 1 } })
    expect(await ask('/kv/x')).toMatchObject({ status: 404, json: { error: 'not-found' } })
    expect(await ask('/kv/x', { method: 'DELETE' })).toMatchObject({
      status: 404,
      json: { error: 'not-found', message: aText },
    })
  })

  it('keep every byte of a value, also none at all', async () => {
    const { url, ask: get } = await leading()
    const body = new Uint8Array(256).map((_, i) => i)
    await ask(url, '/kv/bytes', { method: 'PUT', body })
    const response = await fetch(`${url}/kv/bytes`)
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(body)
    await ask(url, '/kv/nothing', { method: 'PUT' })
    expect(await get('/kv/nothing')).toMatchObject({ status: 200, text: '' })
  })

  it('take conditions', async () => {
    const { put, ask } = await leading()
    const { json } = await put('x', '1', { 'if-none-match': '*' })
    const version = json.index as number
    expect(await put('x', '2', { 'if-none-match': '*' })).toMatchObject({
      status: 412,
      json: { error: 'condition-failed', version },
    })
    expect((await put('x', '2', { 'if-match': `"${version + 1}"` })).status).toBe(412)
    expect((await put('x', '2', { 'if-match': `"${version}"` })).status).toBe(200)
    expect((await put('x', '3', { 'if-match': '*' })).status).toBe(200)
    const headers = { 'if-match': `"${version}"` }
    expect((await ask('/kv/x', { method: 'DELETE', headers })).status).toBe(412)
    expect((await ask('/kv/x')).text).toBe('3')
  })

  it('fail a condition on an absent key [F46]', async () => {
    const { put, ask } = await leading()
    for (const condition of ['"1"', '"0"', '*']) {
      expect(await put('x', '1', { 'if-match': condition })).toMatchObject({
        status: 412,
        json: { error: 'condition-failed', version: null },
      })
    }
    expect((await ask('/kv/x')).status).toBe(404)
  })

  it.each([
    [{ 'if-match': '1' }],
    [{ 'if-match': 'W/"1"' }],
    [{ 'if-match': '"x"' }],
    [{ 'if-match': '"9007199254740993"' }],
    [{ 'if-none-match': '"1"' }],
    [{ 'if-match': '"1"', 'if-none-match': '*' }],
  ])('refuse the condition %j', async (headers) => {
    const { put } = await leading()
    expect(await put('x', '1', headers)).toMatchObject({
      status: 400,
      json: { error: 'bad-condition', message: containing('If-') },
    })
  })
})

describe('a key', () => {
  it.each([
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['a/b//c', 'a/b//c'],
    ['a%2Fb%2f%2Fc', 'a/b//c'],
    ['..', '..'],
    ['a/../b', 'a/../b'],
    ['%2e', '.'],
    ['%00', '\0'],
    ['+', '+'],
    ['%3F', '?'],
    ['caf%C3%A9', 'café'],
    ['cafe%CC%81', 'cafe\u0301'],
    ['%F0%9F%98%80', '😀'],
  ])('in the path as %s is %j and nothing else [F48]', async (path, key) => {
    const { put, ask } = await leading()
    await put('other', 'other')
    await put(path, key)
    expect((await ask(`/kv/${path}`)).text).toBe(key)
    expect((await ask(`/kv/${encodeURIComponent(key)}`)).text).toBe(key)
    const { json } = await ask('/kv')
    expect((json.items as { key: string }[]).map((item) => item.key).sort()).toEqual(
      [key, 'other'].sort(),
    )
  })

  it.each(['__proto__', 'constructor', 'toString'])('%s is absent at first [F48]', async (key) => {
    const { ask } = await leading()
    expect((await ask(`/kv/${key}`)).status).toBe(404)
  })

  it.each(['%', '%zz', '%ff', '%ED%A0%80'])(
    'that is not percent-encoded UTF-8, %s, is refused [F48]',
    async (path) => {
      const { put, ask } = await leading()
      expect(await put(path, 'x')).toMatchObject({ status: 400, json: { error: 'bad-encoding' } })
      expect((await ask(`/kv?prefix=${path}`)).status).toBe(400)
    },
  )

  it('has 1 byte to 1 KiB [F47]', async () => {
    const { put, ask } = await leading()
    expect(await put('', 'x')).toMatchObject({ status: 400, json: { error: 'empty-key' } })
    expect((await put('%C3%A9'.repeat(512), 'x')).status).toBe(200)
    expect((await ask(`/kv/${'%C3%A9'.repeat(512)}`)).text).toBe('x')
    expect(await put('%C3%A9'.repeat(512) + 'x', 'x')).toMatchObject({
      status: 413,
      json: { error: 'key-too-large' },
    })
  })
})

describe('a value over the limit', () => {
  it('is refused, whether it tells its length or not, and the connection goes on [F47]', async () => {
    const { url, put } = await leading({ service: { maxValueBytes: 1000 } })
    expect((await put('x', 'x'.repeat(1000))).status).toBe(200)
    expect(await put('x', 'x'.repeat(1001))).toMatchObject({
      status: 413,
      json: { error: 'value-too-large', message: containing('1000') },
    })
    const chunked = { 'transfer-encoding': 'chunked' }
    expect((await put('x', 'x'.repeat(200_000), chunked)).status).toBe(413)
    expect((await ask(url, '/kv/x')).text).toHaveLength(1000)
  })

  it('that the node refuses is 413 too', async () => {
    const { put } = await leading({ maxCommandBytes: 100 })
    expect(await put('x', 'x'.repeat(200))).toMatchObject({
      status: 413,
      json: { error: 'command-too-large', outcome: 'none' },
    })
  })
})

describe('a list', () => {
  it('tells keys, versions and values, in the order of bytes', async () => {
    const { put, url, ask: get } = await leading()
    const index = (await put('b', 'text ✓')).json.index as number
    await ask(url, '/kv/a', { method: 'PUT', body: new Uint8Array([0xff, 0]) })
    expect(await get('/kv')).toMatchObject({
      status: 200,
      json: {
        items: [
          { key: 'a', version: index + 1, value: '/wA=', encoding: 'base64' },
          { key: 'b', version: index, value: 'text ✓', encoding: 'utf8' },
        ],
        more: false,
        index: index + 1,
      },
    })
  })

  it('takes a prefix, a limit and where to go on', async () => {
    const { put, ask } = await leading()
    for (const key of ['a%20b/1', 'a%20b/2', 'a%20b/3', 'c']) await put(key, key)
    const keys = async (query: string) => {
      const { json } = await ask(`/kv?prefix=a%20b/&${query}`)
      return [(json.items as { key: string }[]).map(({ key }) => key), json.more]
    }
    expect(await keys('limit=2')).toEqual([['a b/1', 'a b/2'], true])
    expect(await keys('limit=2&after=a%20b/2')).toEqual([['a b/3'], false])
    expect(await keys('consistency=stale')).toEqual([['a b/1', 'a b/2', 'a b/3'], false])
  })

  it('answers what is at most so old, or has a write in it', async () => {
    const { ask, put } = await leading()
    const { index } = (await put('x', 'one')).json as { index: number }
    expect((await ask(`/kv/x?at-least=${index}`)).status).toBe(200)
    expect((await ask('/kv/x?within=1000')).status).toBe(200)
    expect((await ask(`/kv?at-least=${index}`)).json).toMatchObject({ items: [{ key: 'x' }] })
  })

  it.each([
    ...['limit=0', 'limit=1001', 'limit=x', 'limit=', 'limit=1e2', 'consistency=none'],
    ...['within=', 'within=-1', 'within=soon', 'at-least=1.5', 'at-least='],
    ...['within=5&at-least=5', 'consistency=stale&within=5', 'at-least=5&consistency=stale'],
  ])('refuses %s', async (query) => {
    const { ask } = await leading()
    expect(await ask(`/kv?${query}`)).toMatchObject({
      status: 400,
      json: { error: 'bad-parameter', message: containing(query.split('=')[0]!) },
    })
  })
})

describe('what is not there', () => {
  it.each(['/', '/kvx', '/status/', '/__proto__', '/constructor'])('%s is 404', async (path) => {
    const { ask } = await leading()
    expect(await ask(path)).toMatchObject({
      status: 404,
      json: { error: 'unknown-path', message: containing(path) },
    })
  })

  it.each([
    ['POST', '/kv/x', 'GET, PUT, DELETE'],
    ['PATCH', '/kv/x', 'GET, PUT, DELETE'],
    ['PUT', '/kv', 'GET'],
    ['DELETE', '/watch', 'GET'],
    ['POST', '/status', 'GET'],
  ])('%s %s is 405, and says what is allowed', async (method, path, allow) => {
    const { ask } = await leading()
    expect(await ask(path, { method })).toMatchObject({
      status: 405,
      headers: { allow },
      json: { error: 'method-not-allowed', message: containing(method) },
    })
  })
})

describe('a server that does not lead', () => {
  it('sends writes to the leader, with path and query as they came', async () => {
    const { ask } = await start(led())
    const path = '/kv/a%2Fb/../c?d=%20'
    const reply = await eventually(async () => {
      const reply = await ask(path, { method: 'PUT', body: 'x' })
      return reply.status === 307 ? reply : undefined
    })
    expect(reply.headers.location).toBe(`http://127.0.0.1:8002${path}`)
    expect(reply.json).toMatchObject({ error: 'not-leader', leader: 'b' })
    expect((await ask('/kv/x', { method: 'DELETE' })).status).toBe(307)
  })

  it('cannot, when it does not know where the leader is', async () => {
    const { ask, put } = await start({ ...led(), addresses: {} })
    await eventually(async () => (await ask('/status')).json.leader ?? undefined)
    expect(await put('x', 'x')).toMatchObject({ status: 503, json: { error: 'not-leader' } })
  })

  it('without a leader answers 503 in bounded time, and tells when to ask again [F5]', async () => {
    const { put, ask } = await start({ ...alone(), queryTimeout: 100 })
    const unavailable = {
      status: 503,
      headers: { 'retry-after': '1' },
      json: { error: 'not-leader', message: aText },
    }
    expect(await put('x', 'x')).toMatchObject({ ...unavailable, json: { outcome: 'none' } })
    expect(await ask('/kv/x')).toMatchObject(unavailable)
    expect(await ask('/kv')).toMatchObject(unavailable)
    expect(await ask('/readyz')).toMatchObject({ status: 503, json: { error: 'no-leader' } })
    expect((await ask('/healthz')).status).toBe(200)
  })

  it('answers from what it has only when it is asked to by name [F5]', async () => {
    const { ask } = await start({ ...alone(), queryTimeout: 100 })
    expect((await ask('/kv/x?consistency=stale')).status).toBe(404)
    expect((await ask('/kv?consistency=stale')).json).toMatchObject({ items: [], more: false })
    expect((await ask('/kv/x?consistency=linearizable')).status).toBe(503)
    expect((await ask('/kv/x?at-least=0')).status).toBe(404)
    expect((await ask('/kv/x?at-least=1')).status).toBe(503)
    expect((await ask('/kv?within=60000')).status).toBe(503)
  })
})

describe('a leader without a quorum', () => {
  it('answers 504 to a write that it took in: the outcome is unknown [F42] [F5]', async () => {
    const { put, ask } = await start({ ...stuck(), proposeTimeout: 200, queryTimeout: 100 })
    await eventually(async () => (await ask('/status')).json.role === 'leader' || undefined)
    expect(await put('x', 'x')).toMatchObject({
      status: 504,
      json: { outcome: 'unknown', error: 'timeout', message: aText },
    })
    expect(await ask('/kv/x')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
  })

  it('refuses writes when too much is waiting', async () => {
    const more = { proposeTimeout: 200, maxUncommittedBytes: 1024 }
    const { put, ask } = await start({ ...stuck(), ...more })
    await eventually(async () => (await ask('/status')).json.role === 'leader' || undefined)
    const replies = await Promise.all(['x', 'y', 'z'].map((key) => put(key, 'x'.repeat(900))))
    expect(replies.map(({ status }) => status)).toContain(503)
    expect(replies.find(({ status }) => status === 503)).toMatchObject({
      headers: { 'retry-after': '1' },
      json: { error: 'overloaded', outcome: 'none' },
    })
  })
})

describe('a client that goes away', () => {
  it('does not take back what it wrote [F51]', async () => {
    const { url, ask } = await leading()
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.end('PUT /kv/x HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx', () =>
      socket.destroy(),
    )
    expect(await eventually(async () => (await ask('/kv/x')).text === 'x' || undefined)).toBe(true)
  })

  it('in the middle of its value wrote nothing [F51]', async () => {
    const { url, ask } = await leading()
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const head = 'PUT /kv/x HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n12345'
    await new Promise((resolve) => socket.write(head, resolve))
    socket.destroy()
    expect((await ask('/kv/x')).status).toBe(404)
  })
})

describe('how a server stands', () => {
  it('is told by /status', async () => {
    const { put, ask } = await leading()
    const index = (await put('x', 'x')).json.index as number
    expect((await ask('/status')).json).toEqual({
      id: 'a',
      role: 'leader',
      term: 1,
      leader: 'a',
      commitIndex: index,
      appliedIndex: index,
      lastIndex: index,
      snapshotIndex: 0,
      fingerprint: null,
      members: [{ id: 'a', role: 'voter', peer: '127.0.0.1:7001', http: 'http://127.0.0.1:8001' }],
    })
  })

  it('is told by /healthz and /readyz', async () => {
    const { node, ask } = await leading()
    expect(await ask('/healthz')).toMatchObject({ status: 200, json: { ok: true } })
    expect(await ask('/readyz')).toMatchObject({ status: 200, json: { ok: true } })
    node.connect().unsubscribe()
    expect(await ask('/healthz')).toMatchObject({ status: 503, json: { error: 'stopped' } })
    expect(await ask('/readyz')).toMatchObject({ status: 503, json: { error: 'stopped' } })
  })

  it('that has failed is told with the reason', async () => {
    const restored = { type: 'restored', term: 0, vote: undefined, batches: [] } as const
    const failing: Storage = () =>
      concat(
        of(restored),
        throwError(() => new StorageError('the disk is gone')),
      )
    const { ask } = await start({ storage: failing })
    const said = { error: 'stopped', message: containing('the disk is gone') }
    expect(await ask('/healthz')).toMatchObject({ status: 503, json: said })
    expect(await ask('/status')).toMatchObject({ status: 503, json: said })
  })
})

describe('what is not a request', () => {
  it.each([
    [400, 'nonsense\r\n\r\n'],
    [400, 'GET /kv/caf\u00e9 HTTP/1.1\r\nhost: a\r\n\r\n'],
    [431, `GET /kv/x HTTP/1.1\r\nhost: a\r\nlong: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])('is answered with %d, in JSON too', async (status, sent) => {
    const { url } = await leading()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(sent)
    const [head, body] = (await text(socket)).split('\r\n\r\n')
    expect(head).toContain(`HTTP/1.1 ${status} `)
    expect(JSON.parse(body!)).toEqual({ error: 'bad-request', message: aText })
  })
})
