import { createServer } from 'node:http'
import { connect as dial } from 'node:net'
import { firstValueFrom } from 'rxjs'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { MESSAGE_BYTES, SUBPROTOCOL } from '../../../adapters/client/webSocketWire.ts'
import { serveWebSockets } from '../../../adapters/client/websocket.ts'
import { frame } from '../../../adapters/transport/tcp/frame.ts'
import { raft } from '../../../operators/engine/index.ts'
import { clientOf, eventually, Sites, strangerAt, useWire, type Site } from './bench.ts'

beforeAll(() => useWire('ws'))

const said = ({ notices }: Site): string[] => notices.map(({ message }) => message)

/** What a server answers to bytes. */
async function ask({ address }: Site, text: string): Promise<string> {
  const [, host, port] = /([\d.]+):(\d+)/.exec(address)!
  const socket = dial(Number(port), host)
  let answer = ''
  socket.on('data', (data: Buffer) => (answer += data.toString()))
  socket.end(text.replaceAll('\n', '\r\n'))
  await new Promise((resolve) => socket.on('close', resolve))
  return answer
}

const asked = (path: string, protocol = SUBPROTOCOL): string =>
  `GET ${path} HTTP/1.1\nhost: x\nconnection: upgrade\nupgrade: websocket\nsec-websocket-version: 13\n` +
  `sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\nsec-websocket-protocol: ${protocol}\n\n`

describe('whoever asks for something else', () => {
  it.each([
    ['no WebSocket', 'GET /clients HTTP/1.1\nhost: x\n\n', '426 Upgrade Required'],
    ['another path', asked('/elsewhere'), '404 Not Found'],
    ['another protocol', asked('/clients', 'chat'), '400 Bad Request'],
    ['a handshake that is none', asked('/clients').replace('AAAA', ''), '400 Bad Request'],
  ])('as %s is turned away', async (_, text, status) => {
    const [site] = (await Sites.open('a')).all
    expect(await ask(site!, text)).toContain(`HTTP/1.1 ${status}`)
  })

  it('of a server that somebody else opened is left to whom it concerns', async () => {
    const server = createServer((_, response) => response.end('a page'))
    server.on('upgrade', ({ url }, socket) => {
      if (url === '/elsewhere') setImmediate(() => socket.end('somebody else'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const machine = { initial: 0, apply: (n: number) => [n, n] as const }
    const node = raft({ id: 'a', machine })
    const options = { cluster: 'shop', server, WebSocketServer }
    const serving = serveWebSockets(node, options).subscribe()
    const running = node.connect()
    const site = { address: `ws://127.0.0.1:${port}/clients` } as Site
    expect(await ask(site, asked('/elsewhere'))).toBe('somebody else')
    expect(await ask(site, 'GET / HTTP/1.1\nhost: x\n\n')).toContain('a page')
    const client = clientOf({ servers: [site.address] })
    expect(await firstValueFrom(client.propose(2))).toMatchObject({ index: 3 })
    serving.unsubscribe()
    running.unsubscribe()
    expect(server.listening).toBe(true)
    expect(server.listenerCount('upgrade')).toBe(1)
  })
})

describe('what is no message of a client ends its connection, and nobody else’s', () => {
  it.each<[string, (socket: WebSocket) => void, string]>([
    ['a text', (socket) => socket.send('hello'), 'a message of text'],
    [
      'a message that is too long',
      (socket) => socket.send(new Uint8Array(MESSAGE_BYTES + 1)),
      'Max payload size exceeded',
    ],
    [
      'one in pieces that is too long together',
      (socket) => {
        for (let i = 0; i < 3; i++) socket.send(new Uint8Array(MESSAGE_BYTES / 2), { fin: false })
      },
      'Max payload size exceeded',
    ],
    ['a frame that is too long for a stranger', (it) => it.send(large()), 'at most 65536 allowed'],
  ])('%s', async (_, send, expected) => {
    const sites = await Sites.open('a')
    const [site] = sites.all
    const client = sites.client()
    await firstValueFrom(client.propose(1))
    const socket = new WebSocket(site!.address, [SUBPROTOCOL])
    socket.on('error', () => undefined)
    socket.on('open', () => send(socket))
    await new Promise((resolve) => socket.on('close', resolve))
    expect(said(site!)).toContainEqual(expect.stringContaining(expected))
    expect(await firstValueFrom(client.propose(1))).toMatchObject({ result: 'counted to 2' })
  })

  it('nothing at all, within the time for a hello', async () => {
    const [site] = (await Sites.open('a', { helloTimeout: 50 })).all
    const stranger = strangerAt(site!)
    await stranger.closed()
    expect(said(site!)).toContainEqual(expect.stringContaining('no handshake within 50 ms'))
  })

  it('one client too many', async () => {
    const sites = await Sites.open('a', { maxClients: 1 })
    await firstValueFrom(sites.client().propose(1))
    const refused = expect(firstValueFrom(sites.client().propose(1))).rejects
    await refused.toThrow('1 clients are here already')
  })

  it('strangers beyond 32 from one place', async () => {
    const [site] = (await Sites.open('a', { helloTimeout: 60_000 })).all
    const sockets = Array.from({ length: 40 }, () => strangerAt(site!))
    onTestFinished(() => sockets.forEach((it) => it.leave()))
    await eventually(() => sockets.filter(({ isClosed }) => isClosed).length === 8 || undefined)
    expect(said(site!)).toContainEqual(expect.stringContaining('too many unfinished handshakes'))
  })

  it('pings of the protocol below, which are answered while the answers are read', async () => {
    const [site] = (await Sites.open('a', { helloTimeout: 60_000 })).all
    const socket = new WebSocket(site!.address, [SUBPROTOCOL])
    await new Promise((resolve) => socket.on('open', resolve))
    const pong = new Promise((resolve) => socket.on('pong', (data) => resolve(String(data))))
    socket.ping('here')
    expect(await pong).toBe('here')
    socket.pause()
    const before = process.memoryUsage().arrayBuffers
    const payload = new Uint8Array(125)
    for (let i = 0; i < 200; i++) {
      for (let j = 0; j < 999; j++) socket.ping(payload)
      await new Promise((resolve) => socket.ping(payload, undefined, resolve))
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 * 1024 * 1024)
    socket.terminate()
  })
})

/** The header of a hello of 100,000 bytes. */
function large(): Uint8Array {
  return frame('hello', new Uint8Array(100_000)).subarray(0, 100)
}
