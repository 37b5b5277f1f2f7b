import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { bench } from './bench.ts'
import { clock } from './clock.ts'
import { pulse, roundsFrom, until, type Station } from './station.ts'
import { strangerAt, type Stranger } from './stranger.ts'

const { addresses, run, closing } = bench()

const told = ({ notices }: Station, code: string): string[] =>
  notices.filter((notice) => notice.code === code).map(({ message }) => message)

/** An address where whoever calls is counted and sent away. */
async function door(): Promise<{ at: string; calls: () => number }> {
  let calls = 0
  const server = createServer((socket) => {
    calls++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  closing({ close: () => server.close() })
  await until(() => server.listening, 'the door')
  const { port } = server.address() as { port: number }
  return { at: `127.0.0.1:${port}`, calls: () => calls }
}

async function called(at: string, hello: Parameters<Stranger['say']>[0]): Promise<Stranger> {
  const stranger = closing(await strangerAt(at))
  stranger.say(hello)
  return stranger
}

/** Ten idle timeouts of 2 s, and a little. */
const PATIENCE_MS = 21_000

const slow = { backoff: [1_000, 1_000] as const, random: () => 1, connectTimeout: 600_000 }

describe('a learnt peer that is not there', () => {
  it('is called at once, then after pauses, until nothing was sent to it for a while', async () => {
    const [removed, named] = [await door(), await door()]
    const { scheduler, pass } = clock()
    const at = await addresses('z')
    // The greater id of a pair begins a moment later, unless a message waits.
    const z = run('z', { z: at['z']!, n: named.at }, { ...slow, scheduler })
    const calls = async (who: typeof named, more: number): Promise<void> => {
      const before = who.calls()
      await until(() => {
        pass(100)
        return who.calls() >= before + more
      }, 'calls')
    }
    z.sendAt('d', removed.at, pulse(1))
    pass(0)
    await until(() => removed.calls() === 1, 'the first call')
    expect(named.calls()).toBe(0)
    await calls(removed, 3)
    for (let i = 0; i < 4; i++) {
      pass(PATIENCE_MS / 2)
      z.send('d', pulse(2))
    }
    await calls(removed, 3)

    pass(PATIENCE_MS)
    await calls(named, 2)
    const before = removed.calls()
    await calls(named, 10)
    expect(removed.calls()).toBe(before)

    z.send('d', pulse(3))
    await calls(named, 2)
    expect(removed.calls()).toBe(before)
    z.sendAt('d', removed.at, pulse(4))
    await calls(removed, 2)
  })

  it('is forgotten, with what waited for it; the numbers of connections still grow', async () => {
    const { scheduler, pass } = clock()
    const at = await addresses('a')
    const a = run('a', at, { scheduler })
    await a.noticed('listening')
    const comes = (): Promise<Stranger> => called(at['a']!, { from: 'b' })
    const first = await comes()
    expect(await first.opened()).toBe(1)
    first.leave()
    await a.noticed('peer-disconnected')
    a.send('b', pulse(1))
    pass(PATIENCE_MS)
    a.send('b', pulse(2))
    const second = await comes()
    expect(await second.opened()).toBe(2)
    a.send('b', pulse(3))
    const { head } = await second.said('message')
    expect(second.frames.filter(({ type }) => type === 'message')).toHaveLength(1)
    expect(head.at(-8)).toBe(3)
  })

  it('is told of again when it is learnt again', async () => {
    const { scheduler, pass } = clock()
    const at = await addresses('a', 'd')
    const a = run('a', { a: at['a']! }, { ...slow, scheduler })
    for (const times of [1, 2]) {
      a.sendAt('d', at['d']!, pulse(1))
      await until(() => {
        pass(100)
        return told(a, 'peer-unreachable').length === times
      }, 'it to be told')
      pass(PATIENCE_MS)
    }
  })

  it('is remembered until then, with what waits for it', async () => {
    const { scheduler, pass } = clock()
    const at = await addresses('a')
    const a = run('a', at, { scheduler })
    await a.noticed('listening')
    const first = await called(at['a']!, { from: 'b' })
    await first.opened()
    first.leave()
    await a.noticed('peer-disconnected')
    a.send('b', pulse(1))
    pass(PATIENCE_MS - 2_000)
    const second = await called(at['a']!, { from: 'b' })
    await second.said('message')
  })

  it('is nobody when its handshake ends after that', async () => {
    const { scheduler, pass } = clock()
    const at = await addresses('b')
    const b = run('b', at, { scheduler, helloTimeout: 600_000 })
    await b.noticed('listening')
    const a = await called(at['b']!, { from: 'a', to: 'b' })
    await a.said('welcome')
    pass(PATIENCE_MS)
    a.open(1)
    a.send(pulse(1))
    await a.closed()
    expect(b.received).toEqual([])
    expect(told(b, 'peer-connected')).toEqual([])
  })
})

it('a peer that has moved is not called where it was', async () => {
  const [before, after] = [await door(), await door()]
  const { scheduler, pass } = clock()
  const at = await addresses('a')
  const a = run('a', { a: at['a']! }, { ...slow, scheduler })
  for (const where of [before, after]) {
    a.sendAt('d', where.at, pulse(1))
    const calls = before.calls()
    await until(() => {
      pass(100)
      return where.calls() === 3
    }, 'calls')
    expect(before.calls()).toBe(where === before ? 3 : calls)
  }
})

it('a peer of `peers` is called for ever', async () => {
  const named = await door()
  const { scheduler, pass } = clock()
  const at = await addresses('a')
  run('a', { a: at['a']!, n: named.at }, { ...slow, scheduler })
  for (let i = 1; i <= 3; i++) {
    const before = named.calls()
    await until(() => {
      pass(100)
      return named.calls() > before
    }, 'a call')
    pass(3 * PATIENCE_MS)
  }
})

it('a learnt peer that is there stays, though nothing is said', async () => {
  const at = await addresses('a')
  const a = run('a', at, { idleTimeout: 100 })
  await a.noticed('listening')
  const b = await called(at['a']!, { from: 'b' })
  await b.opened()
  const pings = (): number => b.frames.filter(({ type }) => type === 'ping').length
  await until(() => pings() > 60, 'more pings than there are in ten idle timeouts')
  a.send('b', pulse(1))
  await b.said('message')
  expect([b.isClosed, told(a, 'peer-disconnected')]).toEqual([false, []])
})

describe('of learnt peers', () => {
  const crowd = async (at: string, size: number): Promise<Stranger[]> => {
    const strangers: Stranger[] = []
    for (let i = 0; i < size; i++) {
      strangers.push(await called(at, { from: `b${i}` }))
      await strangers.at(-1)!.opened()
    }
    return strangers
  }

  it('there are 64 at most, and room again when they are gone [F64] [F72]', async () => {
    const { scheduler, pass } = clock()
    const at = await addresses('a', 'n')
    const a = run('a', at, { scheduler })
    await a.noticed('listening')
    const strangers = await crowd(at['a']!, 64)
    const late = await called(at['a']!, { from: 'c' })
    expect(await late.refused()).toBe('64 strangers are known here, and it is one more')
    await a.noticed('peer-refused', /64 strangers/)
    // Those of `peers` are not counted, and a stranger who is known may call again.
    await (await called(at['a']!, { from: 'n' })).opened()
    await (await called(at['a']!, { from: 'b0' })).opened()

    for (const stranger of strangers.slice(1)) stranger.leave()
    await until(() => told(a, 'peer-disconnected').length >= 63, 'them to be gone')
    expect(await (await called(at['a']!, { from: 'c' })).refused()).toMatch(/64 strangers/)
    pass(PATIENCE_MS)
    await (await called(at['a']!, { from: 'c' })).opened()
  })

  it('those who came by themselves make room for whom the configuration names', async () => {
    const { scheduler, pass } = clock()
    const at = await addresses('a', 'd', 'e', 'f')
    const a = run('a', { a: at['a']! }, { scheduler })
    await a.noticed('listening')
    const stranger = await called(at['a']!, { from: 'b' })
    await stranger.opened()
    a.sendAt('d', at['d']!, pulse(1))
    const d = run('d', { d: at['d']! })
    await until(() => {
      pass(50)
      return roundsFrom(d, 'a').includes(1)
    }, 'd to be reached')
    const others = await crowd(at['a']!, 62)
    others[0]!.answers = stranger.answers = true
    for (const id of ['e', 'f']) {
      a.sendAt(id, at[id]!, pulse(2))
      const newcomer = run(id, { [id]: at[id]! })
      await until(() => {
        pass(50)
        return roundsFrom(newcomer, 'a').includes(2)
      }, `${id} to be reached`)
    }
    await stranger.closed()
    await others[0]!.closed()
    const lost = told(a, 'peer-disconnected')
    expect(lost).toEqual(['b', 'b0'].map((id) => `lost ${id}: it makes room for another`))
    a.send('d', pulse(3))
    await until(() => roundsFrom(d, 'a').includes(3), 'd to hear still')
  })

  it('the one that was sent nothing for longest makes room', async () => {
    const { scheduler, pass } = clock()
    const at = await addresses('a', 'x')
    const a = run('a', { a: at['a']! }, { scheduler, idleTimeout: 600_000 })
    await a.noticed('listening')
    const peers = await crowd(at['a']!, 64)
    for (const i of peers.keys()) a.send(`b${i}`, pulse(1))
    pass(150_000)
    for (const i of peers.keys()) if (i !== 7) a.send(`b${i}`, pulse(2))
    a.sendAt('x', at['x']!, pulse(3))
    await peers[7]!.closed()
    expect(told(a, 'peer-disconnected')).toEqual(['lost b7: it makes room for another'])
    expect(peers.filter(({ isClosed }) => isClosed)).toHaveLength(1)
  })
})
