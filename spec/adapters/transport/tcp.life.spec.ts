import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { bench } from './bench.ts'
import { clock } from './clock.ts'
import { freePort } from '../../../bench/harness/ports.ts'
import { meet, pulse, reach, roundsFrom, start, until, type Station } from './station.ts'
import { Stranger, strangerAt, Wire } from './stranger.ts'
import { tcp } from '../../../adapters/transport/tcp.ts'

const { addresses, run, closing } = bench()

const nowhere = async (): Promise<string> => `127.0.0.1:${await freePort()}`

const codesOf = ({ notices }: Station): string[] => notices.map(({ code }) => code)

describe('a pair of servers', () => {
  it.each(['a', 'b'])('is connected when only %s can reach the other', async (dialler) => {
    const peers = await addresses('a', 'b')
    const blind = async (id: string): Promise<Record<string, string>> =>
      id === dialler ? peers : { ...peers, [id === 'a' ? 'b' : 'a']: await nowhere() }
    await meet(run('a', await blind('a')), run('b', await blind('b')))
  })

  it('has one connection in the end, however often they start at once', async () => {
    for (let i = 0; i < 10; i++) {
      const peers = await addresses('a', 'b')
      const eager = { backoff: [1, 2] as const }
      const [a, b] = [run('a', peers, eager), run('b', peers, eager)]
      await meet(a, b)
      const said = Array.from({ length: 200 }, (_, i) => i + 1)
      for (const round of said) {
        a.send('b', pulse(round))
        b.send('a', pulse(round))
      }
      await until(() => a.received.length >= 200 && b.received.length >= 200, 'everything')
      expect(roundsFrom(a, 'b')).toEqual(said)
      expect(roundsFrom(b, 'a')).toEqual(said)
      a.stop()
      b.stop()
    }
  })

  it('is connected again soon after one was started again [F6]', async () => {
    const peers = await addresses('a', 'b')
    // Deadlines that would show: only a connection that is known to be gone is replaced at once.
    const patient = { idleTimeout: 60_000, helloTimeout: 30_000 }
    for (const restarted of ['a', 'b']) {
      const stations = { a: run('a', peers, patient), b: run('b', peers, patient) }
      await meet(stations.a, stations.b)
      const [gone, other] = restarted === 'a' ? [stations.a, stations.b] : [stations.b, stations.a]
      gone.stop()
      await other.noticed('peer-disconnected')
      const began = Date.now()
      const back = run(restarted, peers, patient)
      await meet(back, other)
      expect(Date.now() - began).toBeLessThan(1_000)
      back.stop()
      other.stop()
    }
  })

  it('tells when a connection comes and goes', async () => {
    const peers = await addresses('a', 'b')
    const [a, b] = [run('a', peers), run('b', peers)]
    await meet(a, b)
    await a.noticed('peer-connected')
    b.stop()
    const { peer, message, source } = await a.noticed('peer-disconnected')
    expect([peer, source]).toEqual(['b', 'transport'])
    expect(message).toMatch(/lost b/)
    await a.noticed('peer-unreachable', /to b: .*ECONNREFUSED/)
  })
})

describe('a silent connection', () => {
  const asB = async (at: string, incarnation = 'stranger'): Promise<Stranger> => {
    const stranger = closing(await strangerAt(at))
    stranger.say({ incarnation })
    await stranger.opened()
    return stranger
  }

  it('is asked whether it lives, and given up when it does not say so [F3]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { idleTimeout: 100 })
    await a.noticed('listening')
    const [dead] = [await asB(peers['a']!)]
    dead.answers = false
    await dead.closed()
    await a.noticed('peer-disconnected', /silent for too long/)
    expect(dead.frames.filter(({ type }) => type === 'ping').length).toBeGreaterThanOrEqual(3)
  })

  it('is kept while it answers [F3]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { idleTimeout: 100 })
    await a.noticed('listening')
    const alive = await asB(peers['a']!)
    await until(() => alive.frames.filter(({ type }) => type === 'ping').length >= 10, 'ten pings')
    expect(alive.isClosed).toBe(false)
    expect(codesOf(a)).not.toContain('peer-disconnected')
  })

  it('is not asked while it speaks', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { idleTimeout: 2_000 })
    await a.noticed('listening')
    const busy = await asB(peers['a']!)
    const speaking = setInterval(() => busy.send(pulse(1)), 20)
    await until(() => a.received.length > 60, 'more than a quarter of the timeout')
    clearInterval(speaking)
    expect(busy.frames.map(({ type }) => type)).not.toContain('ping')
  })

  it('of a peer that was started again makes way within half a second [F1] [F3]', async () => {
    const peers = await addresses('a', 'b')
    const port = await freePort()
    const wire = closing(new Wire(port, Number(peers['a']!.split(':')[1])))
    const patient = { idleTimeout: 60_000, backoff: [10, 20] as const }
    const a = run('a', { a: peers['a']!, b: await nowhere() }, patient)
    const first = run('b', { b: peers['b']!, a: `127.0.0.1:${port}` }, patient)
    await meet(a, first)
    wire.freeze()
    first.stop()
    const second = run('b', peers, patient)
    await meet(a, second)
    await a.noticed('peer-disconnected', /does not answer, and its successor is here/)
    expect(codesOf(second)).not.toContain('peer-refused')
  })
})

describe('an id that two servers have', () => {
  it('is that of the first while it lives, and both are told [F36] [F37]', async () => {
    const peers = await addresses('a', 'b')
    const quick = { backoff: [20, 40] as const }
    const a = run('a', peers, quick)
    const first = run('b', peers, quick)
    await meet(a, first)
    const second = run('b', { ...peers, b: await nowhere() }, quick)
    second.send('a', pulse(2))
    const { message } = await a.noticed('peer-refused', /another b is connected and alive/)
    expect(message).toMatch(/127\.0\.0\.1/)
    await second.noticed('peer-refused', /refused.*another b is connected and alive/)
    await reach(first, a)
    await reach(a, first)
    expect(a.received).toEqual([])
    expect(codesOf(a)).not.toContain('peer-disconnected')

    first.stop()
    await meet(a, second)
  })

  it('is not given to a newcomer who speaks before it is decided', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', { ...peers, b: await nowhere() }, { idleTimeout: 60_000 })
    await a.noticed('listening')
    const [silent, hasty] = [await strangerAt(peers['a']!), await strangerAt(peers['a']!)]
    closing(silent).answers = false
    silent.say({ incarnation: 'first' })
    await silent.opened()
    closing(hasty).say({ incarnation: 'second' })
    hasty.send(pulse(1))
    await hasty.closed()
    await a.noticed('bad-frame', /type message is out of place/)
    expect([a.received, silent.isClosed]).toEqual([[], false])
  })

  it('cannot be taken by whoever dials at the moment when nobody has it', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', { ...peers, b: await nowhere() }, { idleTimeout: 60_000 })
    await a.noticed('listening')
    const both = await Promise.all([strangerAt(peers['a']!), strangerAt(peers['a']!)])
    both.forEach((it, i) => closing(it).say({ incarnation: `number ${i}` }))
    await until(() => both.some(({ isClosed }) => isClosed), 'one to be refused')
    const [winner] = both.filter(({ isClosed }) => !isClosed)
    await winner!.opened()
    winner!.send(pulse(1))
    await until(() => a.received.length > 0, 'the other to be heard')
  })
})

describe('of two connections of one peer', () => {
  const opening = async (at: string, incarnation: string): Promise<Stranger> => {
    const stranger = closing(await strangerAt(at))
    stranger.say({ incarnation })
    await stranger.opened()
    return stranger
  }

  it('the older is closed, and what it still says is not heard [F1]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { idleTimeout: 60_000 })
    await a.noticed('listening')
    const older = await opening(peers['a']!, 'same')
    const newer = await opening(peers['a']!, 'same')
    older.send(pulse(1))
    newer.send(pulse(2))
    await older.closed()
    await until(() => a.received.length > 0, 'the newer')
    expect(roundsFrom(a, 'b')).toEqual([2])
    expect(await newer.opened()).toBe((await older.opened()) + 1)
    expect(codesOf(a)).not.toContain('peer-disconnected')
  })

  it('the one with the higher number stays, where the other end opens', async () => {
    const peers = await addresses('a', 'b')
    // Here b is the server and a the stranger, who opens.
    const b = run('b', { ...peers, a: await nowhere() }, { idleTimeout: 60_000 })
    await b.noticed('listening')
    const come = async (): Promise<Stranger> => {
      const stranger = closing(await strangerAt(peers['b']!))
      stranger.say({ from: 'a', to: 'b' })
      await stranger.said('welcome')
      return stranger
    }
    const [first, second] = [await come(), await come()]
    second.open(2)
    second.send(pulse(2))
    await until(() => b.received.length === 1, 'the second')
    first.open(1)
    first.send(pulse(1))
    await first.closed()
    second.send(pulse(3))
    await until(() => b.received.length === 2, 'the second again')
    expect(roundsFrom(b, 'a')).toEqual([2, 3])
  })
})

it('a server does not hang up where the other end may be opening, though it is connected', async () => {
  const peers = await addresses('a', 'b')
  // Here a is a stranger, who opens, and is also dialled.
  const dialled: Stranger[] = []
  const listener = createServer((socket) => dialled.push(closing(new Stranger(socket))))
  closing({ close: () => listener.close() })
  listener.listen(Number(peers['a']!.split(':')[1]), '127.0.0.1')
  const b = run('b', peers, { idleTimeout: 60_000, helloTimeout: 10_000 })
  await until(() => dialled.length === 1, 'b to dial')
  await dialled[0]!.said('hello')
  const first = closing(await strangerAt(peers['b']!))
  first.say({ from: 'a', to: 'b' })
  await first.said('welcome')
  first.open(1)
  first.send(pulse(1))
  await until(() => b.received.length === 1, 'the first')
  dialled[0]!.welcome({ from: 'a', to: 'b' })
  dialled[0]!.open(2)
  dialled[0]!.send(pulse(2))
  await first.closed()
  await until(() => b.received.length === 2, 'the second')
})

it('pauses and deadlines run on the scheduler that it is given', async () => {
  const { scheduler, pass } = clock()
  let dials = 0
  const door = createServer((socket) => {
    dials++
    socket.destroy()
  })
  closing({ close: () => door.close() })
  const at = await nowhere()
  door.listen(Number(at.split(':')[1]), '127.0.0.1')
  const transport = tcp({
    id: 'a',
    cluster: 'spec',
    listen: '127.0.0.1:0',
    peers: { b: at },
    backoff: [1_000, 1_000],
    random: () => 1,
    scheduler,
  })
  const a = start('a', transport)
  await a.noticed('listening')
  const failed = (): number => codesOf(a).filter((code) => code === 'peer-disconnected').length
  expect(dials).toBe(0)
  pass(0)
  await until(() => failed() === 1, 'the first dial to fail')
  pass(999)
  await new Promise((resolve) => setImmediate(resolve))
  expect(dials).toBe(1)
  pass(1)
  await until(() => failed() === 2, 'the second dial to fail')
  a.stop()
})
