import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { ask, eventually, start, stopAll } from '../kv/support.ts'

afterEach(stopAll)

async function leading() {
  const running = await start()
  await eventually(async () => (await running.ask('/readyz')).status === 200 || undefined)
  return running
}

const json = { 'content-type': 'application/json' }

describe('a value', () => {
  it.each([
    ['nested without end', '['.repeat(500_000)],
    ['with a key that is there twice', '{"a":1,"a":2}'],
    ['with a prototype', '{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}}}'],
    ['that is no JSON', '{"a":'],
  ])('of JSON %s is bytes, kept and never parsed [F59]', async (_, body) => {
    const { url, put, ask: get } = await leading()
    expect((await put('x', body, json)).status).toBe(200)
    expect((await get('/kv/x')).text).toBe(body)
    const { items } = (await ask(url, '/kv')).json as { items: { value: string }[] }
    expect(items.map(({ value }) => value)).toEqual([body])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('that is compressed is never decompressed, however it is announced [F60]', async () => {
    const { url } = await leading()
    const bomb = gzipSync(Buffer.alloc(64 << 20))
    expect(bomb.length).toBeLessThan(100_000)
    const before = process.memoryUsage().arrayBuffers
    for (const name of ['content-encoding', 'transfer-encoding']) {
      const value = name === 'content-encoding' ? 'gzip' : 'gzip, chunked'
      const reply = await ask(url, '/kv/bomb', {
        method: 'PUT',
        body: bomb,
        headers: { [name]: value },
      }).catch(() => undefined)
      if (name === 'content-encoding') expect(reply?.status).toBe(200)
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20)
    const kept = await fetch(`${url}/kv/bomb`, { headers: { 'accept-encoding': 'gzip' } })
    expect(kept.headers.get('content-encoding')).toBeNull()
    expect(Buffer.from(await kept.arrayBuffer()).equals(bomb)).toBe(true)
  })
})

describe('what the store says in JSON', () => {
  it('has a key such as __proto__ as a value, not as a name [F59]', async () => {
    const { put, ask: get } = await leading()
    for (const key of ['__proto__', 'constructor', 'x']) await put(key, key)
    const { text } = await get('/kv')
    const { items } = JSON.parse(text) as { items: { key: string }[] }
    expect(items.map(({ key }) => key)).toEqual(['__proto__', 'constructor', 'x'])
    expect(text).not.toMatch(/"__proto__":/)
  })

  it('is the same whether a parameter is there once or twice [F59]', async () => {
    const { put, ask: get } = await leading()
    await put('ax', '1')
    await put('bx', '2')
    const { items } = (await get('/kv?prefix=a&prefix=b')).json as { items: { key: string }[] }
    expect(items.map(({ key }) => key)).toEqual(['ax'])
  })
})
