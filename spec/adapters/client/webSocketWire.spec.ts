import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { asyncScheduler } from 'rxjs'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { MESSAGE_BYTES, WebSocketWire } from '../../../adapters/client/webSocketWire.ts'
import { eventually } from './bench.ts'

/** Both ends of a WebSocket: as a client has it, and as a server, which sees what is below. */
async function pair() {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const accepted = new Promise<readonly [WebSocket, Socket]>((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (it) => resolve([it, socket as Socket]))
    })
  })
  const near = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false })
  near.binaryType = 'arraybuffer'
  await new Promise((resolve) => near.on('open', resolve))
  const [far, below] = await accepted
  onTestFinished(() => {
    near.terminate()
    server.close()
  })
  const wires = [
    new WebSocketWire(near, asyncScheduler),
    new WebSocketWire(far, asyncScheduler, below),
  ] as const
  return { near, far, wires }
}

it('what is longer than a message comes in several, and is the same stream', async () => {
  const { far, wires } = await pair()
  const sizes: number[] = []
  const heard: number[] = []
  far.on('message', (data: Buffer) => sizes.push(data.length))
  wires[1].on('data', (bytes: Uint8Array) => void heard.push(...bytes))
  const bytes = Uint8Array.from({ length: 2 * MESSAGE_BYTES + 10 }, (_, i) => i % 251)
  wires[0].write(bytes)
  await eventually(() => heard.length === bytes.length || undefined)
  expect(sizes).toEqual([MESSAGE_BYTES, MESSAGE_BYTES, 10])
  expect(Uint8Array.from(heard)).toEqual(bytes)
})

it.each([
  ['a client, which has to look', 0],
  ['a server, which hears it', 1],
] as const)('what waits is known, and that it waits no longer: at %s', async (_, end) => {
  const { near, far, wires } = await pair()
  const [wire, reader] = [wires[end], end === 0 ? far : near]
  let drained = 0
  wire.on('drain', () => drained++)
  reader.pause()
  for (let i = 0; i < 512; i++) wire.write(new Uint8Array(MESSAGE_BYTES))
  await new Promise((resolve) => setImmediate(resolve))
  expect(wire.writableLength).toBeGreaterThan(MESSAGE_BYTES)
  expect(drained).toBe(0)
  reader.resume()
  await eventually(() => drained === 1 || undefined)
  expect(wire.writableLength).toBeLessThanOrEqual(MESSAGE_BYTES)
})

it('a server that is paused hears nothing until it goes on', async () => {
  const { wires } = await pair()
  let heard = 0
  wires[1].on('data', ({ length }: Uint8Array) => (heard += length))
  wires[1].pause()
  wires[0].write(new Uint8Array(1000))
  await eventually(() => wires[0].writableLength === 0 || undefined)
  expect(heard).toBe(0)
  wires[1].resume()
  await eventually(() => heard === 1000 || undefined)
})
