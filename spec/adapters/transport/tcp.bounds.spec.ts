import { Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import type { TcpOptions } from '../../../adapters/transport/tcp.ts'
import type { Envelope } from '../../../lib/messages.ts'
import { bench } from './bench.ts'
import { bigAppend } from './messages.ts'
import { meet, pulse, roundsFrom, until, type Station } from './station.ts'
import { ping, strangerAt, type Stranger } from './stranger.ts'
import { decode } from '../../../adapters/transport/codec.ts'

const { addresses, run, closing } = bench()

const MIB = 1024 * 1024

/** A server `a` with a stranger as `b`, who reads when he likes. */
async function slowReader(more: Partial<TcpOptions> = {}): Promise<{ a: Station; b: Stranger }> {
  const peers = await addresses('a', 'b')
  const a = run('a', peers, { idleTimeout: 60_000, ...more })
  await a.noticed('listening')
  const b = closing(await strangerAt(peers['a']!))
  b.say({})
  await b.opened()
  return { a, b }
}

/** Where the entries of the appends that came begin. */
const indexesTo = (b: Stranger): number[] =>
  b.frames.flatMap((it) => {
    if (it.type !== 'message') return []
    const message = decode(it.head, it.body)
    return message.type === 'append' ? [message.prevIndex + 1] : []
  })

describe('a peer that does not read', () => {
  it('costs no more than maxQueueBytes: the oldest messages are dropped [F3] [F72]', async () => {
    const { a, b } = await slowReader({ maxQueueBytes: 4 * MIB })
    b.socket.pause()
    const before = process.memoryUsage().arrayBuffers
    for (let i = 1; i <= 300; i++) {
      a.send('b', bigAppend(1, MIB, i))
      // A turn of the loop for each, so that the socket takes what it can.
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80 * MIB)
    const overflow = await a.noticed('queue-overflow', /over 4194304 bytes wait for b/)
    expect(overflow.peer).toBe('b')
    expect(a.notices.filter(({ code }) => code === 'queue-overflow').length).toBeLessThan(60)

    b.socket.resume()
    await until(
      () => indexesTo(b).at(-1) === 300,
      'the newest',
      () => indexesTo(b),
    )
    const came = indexesTo(b)
    expect(came).toEqual([...came].sort((x, y) => x - y))
    expect(came.slice(0, 2)).toEqual([1, 2])
    expect(came.slice(-3)).toEqual([298, 299, 300])
    expect(came.length).toBeLessThan(30)
  })

  it('is still heard, and still answered when it reads again', async () => {
    const { a, b } = await slowReader({ maxQueueBytes: MIB, idleTimeout: 300 })
    b.socket.pause()
    const speaking = setInterval(() => b.send(pulse(1)), 20)
    for (let i = 1; i <= 40; i++) a.send('b', bigAppend(1, MIB, i))
    await until(() => a.received.length > 40, 'more than the idle timeout of pulses')
    b.write(ping(7))
    b.socket.resume()
    await b.said('pong')
    clearInterval(speaking)
    expect(a.notices.map(({ code }) => code)).not.toContain('peer-disconnected')
  })
})

it('a peer that asks without end and never reads is not answered without end', async () => {
  const { a, b } = await slowReader()
  b.answers = false
  b.socket.pause()
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => ping(1)))
  for (let i = 0; i < 100; i++) {
    await new Promise((resolve) => b.socket.write(pings, resolve))
  }
  b.send(pulse(1))
  await until(() => a.received.length === 1, 'all pings to be read')
  a.send('b', pulse(2))
  b.socket.resume()
  await b.said('message')
  const pongs = b.frames.filter(({ type }) => type === 'pong').length
  // What the system holds, and 2 MiB at 26 bytes each.
  expect(pongs).toBeLessThan(800_000)
})

it('what waits for a peer goes with the connection', async () => {
  const { a, b } = await slowReader()
  b.socket.pause()
  for (let i = 1; i <= 40; i++) a.send('b', bigAppend(1, MIB, i))
  await new Promise((resolve) => setImmediate(resolve))
  b.leave()
  await a.noticed('peer-disconnected')
  const { message } = await a.noticed('listening')
  const again = closing(await strangerAt(/127\.0\.0\.1:\d+/.exec(message)![0]))
  again.say({})
  await again.opened()
  a.send('b', pulse(1))
  await again.said('message')
  expect(indexesTo(again)).toEqual([])
})

describe('a peer that is not there', () => {
  it('is kept little, and that is the newest', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers)
    const before = process.memoryUsage().arrayBuffers
    for (let i = 1; i <= 100; i++) a.send('b', bigAppend(1, MIB, i))
    for (let i = 1; i <= 20_000; i++) a.send('b', pulse(i))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(110 * MIB)
    const heard: Envelope[] = []
    const b = run('b', peers)
    await until(
      () => roundsFrom(b, 'a').at(-1) === 20_000,
      'the newest',
      () => heard,
    )
    const rounds = roundsFrom(b, 'a')
    expect(rounds.length).toBeLessThanOrEqual(1_024)
    expect(rounds).toEqual(rounds.map((_, i) => 20_000 - rounds.length + 1 + i))
    expect(b.received.length).toBe(rounds.length)
  })

  it('gets nothing that was kept for an earlier run of it [F1]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers)
    const b = run('b', peers)
    await meet(a, b)
    b.stop()
    await a.noticed('peer-disconnected')
    a.send('b', pulse(1), pulse(2))
    const again = run('b', peers)
    await meet(a, again)
    expect(again.received).toEqual([])
  })
})

describe('a whole turn', () => {
  it('goes out in one write', async () => {
    const { a, b } = await slowReader()
    const write = vi.spyOn(Socket.prototype, 'write')
    for (let i = 1; i <= 1_000; i++) a.send('b', pulse(i))
    const came = (): number => b.frames.filter(({ type }) => type === 'message').length
    await until(() => came() === 1_000, 'all')
    expect(write).toHaveBeenCalledTimes(1)
    write.mockRestore()
  })

  it('goes out in one call of the system, also when large entries lie between', async () => {
    const { a, b } = await slowReader()
    const writev = vi.spyOn(Socket.prototype, '_writev')
    for (let i = 1; i <= 5; i++) a.send('b', bigAppend(1, 10_000, i), pulse(i))
    await until(() => b.frames.filter(({ type }) => type === 'message').length === 10, 'all')
    expect(writev).toHaveBeenCalledTimes(1)
    writev.mockRestore()
  })
})
