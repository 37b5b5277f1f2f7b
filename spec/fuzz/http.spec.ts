import fc from 'fast-check'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, eventually, start, stopAll, type Running } from '../kv/support.ts'

let store: Running

beforeAll(async () => {
  store = await start()
  await eventually(async () => (await store.ask('/readyz')).status === 200 || undefined)
})
afterAll(stopAll)

/** What a status may be when a request is wrong, and when it is right. */
const ANSWERS = [200, 304, 400, 404, 405, 408, 410, 412, 413, 414, 431, 503, 504]

const key = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    fc.constantFrom(
      '__proto__',
      'constructor',
      '..',
      '../..',
      '\0',
      '\u202e',
      '%',
      ' ',
      '/',
      '//',
      'é',
    ),
  )
  .filter((text) => Buffer.from(text).toString() === text)

/** Anything that a path may hold on the wire. */
const path = fc
  .oneof(
    fc.webPath(),
    fc.string({ maxLength: 60 }).map((text) => `/kv/${text}`),
  )
  .map((text) => (text.startsWith('/') ? text : `/${text}`).replaceAll(/[^!-~]/g, '%41'))

describe('keys and values that mean harm', () => {
  it('are kept byte by byte and touch nothing else [F48] [F59]', async () => {
    await fc.assert(
      fc.asyncProperty(key, fc.string({ unit: 'binary', maxLength: 99 }), async (name, body) => {
        const at = `/kv/${encodeURIComponent(name)}`
        expect((await ask(store.url, at, { method: 'PUT', body })).status).toBe(200)
        expect((await store.ask(at)).text).toBe(Buffer.from(body).toString())
        const { items } = (await store.ask(`/kv?prefix=${encodeURIComponent(name)}`)).json as {
          items: { key: string }[]
        }
        expect(items.map((item) => item.key)).toContain(name)
        expect((await ask(store.url, at, { method: 'DELETE' })).status).toBe(200)
        expect((await store.ask(at)).status).toBe(404)
      }),
      { numRuns: 60 },
    )
    expect(((await store.ask('/kv')).json as { items: unknown[] }).items).toEqual([])
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})

describe('requests that mean harm', () => {
  it('of any path, method and parameters are answered, never with 500 [F48] [F57]', async () => {
    const method = fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS')
    const value = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[^ -~]/g, '?'))
    const headers = fc.record({ 'if-match': value, 'if-none-match': value }, { requiredKeys: [] })
    await fc.assert(
      fc.asyncProperty(path, method, headers, value, async (to, how, said, search) => {
        const query = to.startsWith('/watch') ? '' : `?limit=${encodeURIComponent(search)}`
        const reply = await ask(store.url, to + query, { method: how, headers: said })
        expect(ANSWERS, `${how} ${to} ${reply.text}`).toContain(reply.status)
      }),
      { numRuns: 150 },
    )
  })

  it('of any bytes end their connection, and no other [F55] [F57]', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        await said(bytes)
      }),
      { numRuns: 60 },
    )
    expect((await store.put('alive', 'yes')).status).toBe(200)
  })
})

/** Sends bytes on a connection of its own, and waits for its end; nothing but HTTP may come back. */
function said(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(store.url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (/^(HTTP\/1\.1 |$)/.test(answer)) resolve()
      else reject(new Error(answer))
    })
    socket.end(bytes)
  })
}
