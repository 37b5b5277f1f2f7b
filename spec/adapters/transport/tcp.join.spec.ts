import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Certificates, TcpOptions } from '../../../adapters/transport/tcp.ts'
import { bench } from './bench.ts'
import { authority } from './certificates.ts'
import { freePort } from '../../../bench/harness/ports.ts'
import { meet, pulse, reach, roundsFrom, until, type Station } from './station.ts'
import { strangerAt, tlsStrangerAt } from './stranger.ts'

const { addresses, run, closing } = bench()

const secret = randomBytes(32)
const { ca, issue } = authority()
const tls = (id: string): { tls: Certificates } => ({ tls: issue([`raft://spec/${id}`]) })
const quick = { backoff: [5, 20] as const }

const nowhere = async (): Promise<string> => `127.0.0.1:${await freePort()}`

const told = ({ notices }: Station, code: string): string[] =>
  notices.filter((notice) => notice.code === code).map(({ message }) => message)

const hears = (station: Station, from: string, round: number): Promise<unknown> =>
  until(
    () => roundsFrom(station, from).includes(round),
    `${station.id} to hear ${from}`,
    () => station.notices,
  )

describe.each<[string, (id: string) => Partial<TcpOptions>]>([
  ['in plaintext', () => ({})],
  ['with a shared secret', () => ({ secret })],
  ['with certificates', tls],
])('a server that nobody knew in advance, %s', (_, security) => {
  const start = (id: string, at: Record<string, string>, ...named: string[]): Station => {
    const peers = Object.fromEntries([id, ...named].map((it) => [it, at[it]!]))
    return run(id, peers, { ...security(id), ...quick })
  }

  it('is reached by the address of a message, which is not lost, and answers', async () => {
    const at = await addresses('a', 'b', 'c')
    const [a, b, c] = [start('a', at, 'b'), start('b', at, 'a'), start('c', at)]
    await meet(a, b)
    a.sendAt('c', at['c']!, pulse(1))
    await hears(c, 'a', 1)
    c.send('a', pulse(2))
    await hears(a, 'c', 2)
    // The newcomer calls whom it knows from the configuration only.
    c.sendAt('b', at['b']!, pulse(3))
    await hears(b, 'c', 3)
    b.send('c', pulse(4))
    await hears(c, 'b', 4)
    await a.noticed('peer-connected', /connected with c, which `peers` does not name/)
    await b.noticed('peer-connected', /connected with c, which `peers` does not name/)
    expect(told(a, 'peer-connected')).toContain('connected with b')
    expect([a, b, c].flatMap((it) => told(it, 'peer-refused'))).toEqual([])
  })

  it('is let in when it has one contact', async () => {
    const at = await addresses('a', 'c')
    const [a, c] = [start('a', at), start('c', at, 'a')]
    c.send('a', pulse(1))
    await hears(a, 'c', 1)
    a.send('c', pulse(2))
    await hears(c, 'a', 2)
  })

  it('has one connection in the end when both call at once', async () => {
    for (let i = 0; i < 5; i++) {
      const at = await addresses('a', 'b')
      const [a, b] = [start('a', at), start('b', at)]
      a.sendAt('b', at['b']!, pulse(0))
      b.sendAt('a', at['a']!, pulse(0))
      await meet(a, b)
      const said = Array.from({ length: 200 }, (_, i) => i + 1)
      for (const round of said) {
        a.send('b', pulse(round))
        b.send('a', pulse(round))
      }
      await Promise.all([hears(a, 'b', 200), hears(b, 'a', 200)])
      expect(roundsFrom(a, 'b').filter((round) => round > 0)).toEqual(said)
      expect(roundsFrom(b, 'a').filter((round) => round > 0)).toEqual(said)
      a.stop()
      b.stop()
    }
  })
})

describe('whoever is not of the cluster', () => {
  it.each<[string, Partial<TcpOptions>, Partial<TcpOptions>]>([
    ['is of another cluster [F67]', {}, { cluster: 'other' }],
    ['is of another cluster, with the secret [F67]', { secret }, { secret, cluster: 'other' }],
    ['has another secret [F62]', { secret }, { secret: randomBytes(32) }],
    ['has no secret [F68]', { secret }, {}],
    ['is of another authority [F62]', tls('a'), { tls: authority().issue(['raft://spec/c']) }],
    ['has no certificate [F68]', tls('a'), {}],
  ])('and %s is let in by nobody who learns of it', async (_, own, others) => {
    const at = await addresses('a', 'c')
    const a = run('a', { a: at['a']! }, { ...own, ...quick })
    const c = run('c', at, { ...others, ...quick })
    c.send('a', pulse(1))
    a.sendAt('c', at['c']!, pulse(1))
    const refused = /refused|version|connection|cluster/
    const refusals = (it: Station): number =>
      it.notices.filter(({ code, message }) => code !== 'listening' && refused.test(message)).length
    await until(
      () => refusals(a) >= 3 && refusals(c) >= 3,
      'refusals',
      () => [a.notices, c.notices],
    )
    for (const it of [a, c]) {
      expect(it.received).toEqual([])
      expect(told(it, 'peer-connected')).toEqual([])
    }
  })

  it('takes no name but the one that is proved [F69]', async () => {
    const at = await addresses('a')
    const a = run('a', at, tls('a'))
    await a.noticed('listening')
    const { cert, key } = issue(['raft://spec/c']) as { cert: string; key: string }
    const stranger = closing(await tlsStrangerAt(at['a']!, { ca, cert, key }))
    stranger.say({ from: 'd' })
    expect(await stranger.refused()).toBe('it says that it is "d" and proves to be "c"')
    expect(told(a, 'peer-connected')).toEqual([])
  })

  it('cannot come back as the server itself, over a secret [F66]', async () => {
    const at = await addresses('a')
    const a = run('a', at, { secret, ...quick })
    a.sendAt('c', at['a']!, pulse(1))
    await until(() => told(a, 'peer-refused').length >= 2, 'refusals')
    expect(a.received).toEqual([])
    expect(told(a, 'peer-refused').join()).toMatch(/the handshake was refused/)
  })
})

describe('the address of a message', () => {
  it('takes the place of the one in `peers`', async () => {
    const at = await addresses('a', 'b')
    const a = run('a', { a: at['a']!, b: await nowhere() }, { backoff: [60_000, 60_000] })
    const b = run('b', { b: at['b']! })
    await a.noticed('peer-unreachable')
    a.sendAt('b', at['b']!, pulse(1))
    await hears(b, 'a', 1)
  })

  it('takes the place of the one before', async () => {
    const at = await addresses('a', 'b')
    const a = run('a', { a: at['a']! }, quick)
    const before = run('b', { b: await nowhere() })
    const { message } = await before.noticed('listening')
    a.sendAt('b', /127\.0\.0\.1:\d+/.exec(message)![0], pulse(1))
    await hears(before, 'a', 1)
    before.stop()
    const after = run('b', { b: at['b']! })
    await until(() => {
      a.sendAt('b', at['b']!, pulse(2))
      return roundsFrom(after, 'a').includes(2)
    }, 'b where it is now')
  })

  it('that is new leaves a connection alone that works', async () => {
    const at = await addresses('a', 'b')
    const [a, b] = [run('a', at, quick), run('b', at, quick)]
    await meet(a, b)
    a.sendAt('b', await nowhere(), pulse(1))
    await hears(b, 'a', 1)
    await reach(a, b)
    await reach(b, a)
    expect([a, b].flatMap((it) => told(it, 'peer-disconnected'))).toEqual([])
    expect(told(a, 'peer-unreachable')).toEqual([])
  })

  it('that was known already starts nothing anew', async () => {
    const at = await addresses('a', 'b')
    const a = run('a', at, { backoff: [60_000, 60_000] })
    await a.noticed('peer-unreachable')
    const b = run('b', { b: at['b']! })
    await b.noticed('listening')
    for (let i = 0; i < 100; i++) {
      a.sendAt('b', at['b']!, pulse(1))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(b.received).toEqual([])
    expect(told(b, 'peer-connected')).toEqual([])
  })

  it.each([
    ['of no form', 'nowhere', /"nowhere" should be HOST:PORT/],
    ['of no port', '127.0.0.1:0', /should be HOST:PORT/],
    ['that would spoil a log', 'x\n\u001b[31m', /"x\\n\\u001b\[31m" should be HOST:PORT/],
    ['beyond this machine, in plaintext', '10.0.0.1:7000', /should be on this machine/],
  ])('%s is told of once, and the message is sent if it can be', async (_, address, words) => {
    const at = await addresses('a', 'b')
    const [a, b] = [run('a', at), run('b', at)]
    await meet(a, b)
    for (let i = 1; i <= 20; i++) {
      a.sendAt('b', address, pulse(i))
      a.sendAt('c', address, pulse(i))
    }
    await hears(b, 'a', 20)
    await reach(a, b)
    const bad = told(a, 'bad-message')
    expect(bad).toHaveLength(2)
    expect(bad[0]).toMatch(words)
    expect(bad.map((it) => it.slice(0, 'to b, not dialled'.length))).toEqual([
      'to b, not dialled',
      'to c, not dialled',
    ])
    expect(told(a, 'peer-unreachable')).toEqual([])
    expect(a.error).toBeUndefined()
  })

  it('of a name that no server can have is told of once', async () => {
    const at = await addresses('a', 'b')
    const a = run('a', at)
    for (let i = 1; i <= 20; i++) a.sendAt('x'.repeat(250), at['b']!, pulse(i))
    a.sendAt('', at['b']!, pulse(1))
    expect(told(a, 'bad-message')).toHaveLength(2)
    expect(told(a, 'bad-message')[0]).toMatch(
      /not dialled: id "x.*should be a name that a server can have/,
    )
    expect(a.error).toBeUndefined()
  })

  it('beyond this machine is right where that is allowed', async () => {
    const at = await addresses('a')
    const a = run('a', at, { secret })
    // A network that is reserved for examples (RFC 5737).
    a.sendAt('c', '192.0.2.1:7000', pulse(1))
    expect(told(a, 'bad-message')).toEqual([])
  })

  it('of the server itself is not called', async () => {
    const at = await addresses('a', 'b')
    const [a, b] = [run('a', at), run('b', at)]
    a.sendAt('a', at['a']!, pulse(1))
    await meet(a, b)
    await meet(a, b)
    expect(told(a, 'peer-refused')).toEqual([])
    expect(a.received).toEqual([])
  })
})

describe('where strangers are refused', () => {
  it('nobody is called whom `peers` does not name, and that is told once', async () => {
    const at = await addresses('a', 'b', 'c')
    const c = run('c', { c: at['c']! })
    await c.noticed('listening')
    const a = run('a', { a: at['a']!, b: await nowhere() }, { strangers: 'refuse' })
    const b = run('b', { b: at['b']! })
    for (let i = 1; i <= 10; i++) a.sendAt('c', at['c']!, pulse(i))
    a.sendAt('b', at['b']!, pulse(1))
    await hears(b, 'a', 1)
    await meet(a, b)
    expect(told(c, 'peer-connected')).toEqual([])
    const about = told(a, 'peer-unreachable').filter((it) => it.startsWith('to c'))
    expect(about).toEqual(['to c: `peers` does not name it'])
  })

  it.each<[string, Partial<TcpOptions>]>([
    ['the secret', { secret }],
    ['a certificate', tls('a')],
  ])('nobody is let in whom `peers` does not name, even with %s [F70]', async (_, own) => {
    const at = await addresses('a', 'c')
    const a = run('a', { a: at['a']! }, { ...own, strangers: 'refuse' })
    await a.noticed('listening')
    const c = run('c', at, { ...('secret' in own ? own : tls('c')), ...quick })
    await c.noticed('peer-refused', /no server .*c.* is known here/)
    await a.noticed('peer-refused', /no server "c" is known here/)
    expect([a, c].flatMap((it) => told(it, 'peer-connected'))).toEqual([])
  })
})

it('the name of a stranger does not spoil the log', async () => {
  const at = await addresses('a')
  const a = run('a', at)
  await a.noticed('listening')
  const stranger = closing(await strangerAt(at['a']!))
  stranger.say({ from: `evil\n\u001b[31m${'x'.repeat(60)}` })
  const { message } = await a.noticed('peer-connected', /evil/)
  stranger.leave()
  const farewell = await a.noticed('peer-disconnected', /evil/)
  // eslint-disable-next-line no-control-regex
  for (const it of [message, farewell.message]) expect(it).not.toMatch(/[\u0000-\u001f]/)
})
