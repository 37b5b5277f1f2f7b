import { firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { connect } from '../../../adapters/client.ts'
import { ConfigError, Overloaded } from '../../../lib/errors.ts'
import { ping } from '../transport/stranger.ts'
import { clientOf, eventually, HELLO, Sites, strangerAt, Wire } from './bench.ts'

/** A server that takes everything in and answers nothing, as far as its client can tell. */
async function silent(options: { maxInFlight?: number; maxWaiting?: number }) {
  const sites = await Sites.open('a')
  const wire = await Wire.to(sites.addresses[0]!)
  const client = clientOf({ servers: [wire.address], ...options })
  await firstValueFrom(client.propose(1))
  wire.isDeaf = true
  return { wire, client, node: sites.all[0]!.node }
}

describe('what is under way is bounded', () => {
  it('and what waits behind it, too: then it is overloaded, and nothing was sent', async () => {
    const { wire, client, node } = await silent({ maxInFlight: 4, maxWaiting: 3 })
    const answers = Array.from({ length: 7 }, () => firstValueFrom(client.propose(1)))
    const refused = firstValueFrom(client.propose(1))
    await expect(refused).rejects.toBeInstanceOf(Overloaded)
    await expect(refused).rejects.toMatchObject({ outcome: 'none', retryable: true })
    await eventually(() => node.history(1).length === 5 || undefined)
    wire.isDeaf = false
    wire.cut()
    await Promise.all(answers)
    expect(node.history(1)).toHaveLength(8)
  })

  it('at the server: who has too much under way is sent away, and comes again', async () => {
    const sites = await Sites.open('a', { maxRequests: 8 })
    const client = sites.client()
    const results = await Promise.all(
      Array.from({ length: 100 }, () => firstValueFrom(client.propose(1))),
    )
    expect(new Set(results.map(({ result }) => result)).size).toBe(100)
  })

  it('what is no longer wanted before it was sent is not sent', async () => {
    const { wire, client, node } = await silent({ maxInFlight: 1 })
    const first = firstValueFrom(client.propose(1))
    const unwanted = client.propose(500).subscribe()
    const last = firstValueFrom(client.propose(1))
    unwanted.unsubscribe()
    wire.isDeaf = false
    wire.cut()
    await Promise.all([first, last])
    expect(node.history(1).map(({ command }) => command)).toEqual([1, 1, 1])
  })
})

it.each([
  [{ maxInFlight: 0 }, 'maxInFlight is 0: it should be a whole number from 1 to 16384'],
  [{ maxInFlight: 16_385 }, 'maxInFlight is 16385'],
  [{ maxWaiting: 0 }, 'maxWaiting is 0: it should be at least 1'],
  [{ servers: ['nowhere'] }, 'HOST:PORT'],
  [{ cluster: '' }, 'cluster is'],
])('refuses %j', (options, said) => {
  const wrong = () => connect({ servers: ['127.0.0.1:1'], cluster: 'shop', ...options })
  expect(wrong).toThrow(ConfigError)
  expect(wrong).toThrow(said)
})

it('nothing is left when a client is closed: no timer, no connection', async () => {
  const sites = await Sites.open('a')
  const client = sites.client()
  await firstValueFrom(client.propose(1))
  const pending = firstValueFrom(client.query('count'))
  client.close()
  await expect(pending).rejects.toMatchObject({ code: 'closed' })
  client.close()
})

it('a client of which nothing is heard is gone, and one that pings is not', async () => {
  const sites = await Sites.open('a', { idleTimeout: 500 })
  const wire = await Wire.to(sites.addresses[0]!)
  const client = clientOf({ servers: [wire.address], idleTimeout: 500 })
  await firstValueFrom(client.propose(1))
  const silent = strangerAt(sites.all[0]!)
  silent.say(HELLO)
  await eventually(() => silent.frames[0])
  await eventually(() => silent.isClosed || undefined)
  await firstValueFrom(client.propose(1))
  expect(wire.connections).toBe(1)
})

it('a client that asks and does not read is not answered without end', async () => {
  const sites = await Sites.open('a')
  const stranger = strangerAt(sites.all[0]!)
  stranger.say(HELLO)
  await eventually(() => stranger.frames[0])
  stranger.socket.pause()
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => ping()))
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 100; i++) {
    await new Promise((resolve) => stranger.socket.write(pings, resolve))
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 * 1024 * 1024)
})
