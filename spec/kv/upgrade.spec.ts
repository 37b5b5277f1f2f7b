import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually, type Running, start, stopAll } from './support.ts'

afterEach(stopAll)

/** A server that leads itself. */
async function leading(): Promise<Running> {
  const running = await start()
  await eventually(async () => (await running.ask('/readyz')).status === 200 || undefined)
  return running
}

describe('a client that offers to speak something else', () => {
  const offer = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': '' }

  it('is answered as if it had not', async () => {
    const { put, ask, url } = await leading()
    expect((await put('x', 'a value', offer)).status).toBe(200)
    expect(await ask('/kv/x', { headers: offer })).toMatchObject({ status: 200, text: 'a value' })
    expect((await ask('/nowhere', { headers: offer })).status).toBe(404)
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const get = 'GET /kv/x HTTP/1.1\r\nhost: a\r\n'
    const offered = 'connection: upgrade\r\nupgrade: h2c\r\n\r\n'
    socket.write(`${get}${offered}${get}connection: close\r\n\r\n`)
    let answers = ''
    socket.on('data', (data: Buffer) => (answers += data.toString()))
    await new Promise((resolve) => socket.on('close', resolve))
    expect(answers.match(/a value/g)).toHaveLength(2)
  })

  it('may give up at once', async () => {
    const { url, ask } = await leading()
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const head = 'PUT /kv/x HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n'
    const body = 'content-length: 10\r\n\r\n12345'
    await new Promise((resolve) => socket.write(head + body, resolve))
    socket.resetAndDestroy()
    expect((await ask('/kv/x')).status).toBe(404)
  })
})
