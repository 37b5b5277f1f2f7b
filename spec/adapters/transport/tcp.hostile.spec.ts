import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frame } from '../../../adapters/transport/tcp/frame.ts'
import { encodeHello, encodeNumber } from '../../../adapters/transport/tcp/hello.ts'
import { Sheet } from '../../../adapters/transport/tcp/sheet.ts'
import { bench } from './bench.ts'
import { anyMessage, bigAppend } from './messages.ts'
import { meet, pulse, reach, until, type Station } from './station.ts'
import { ping, strangerAt, type Stranger } from './stranger.ts'
import type { TcpOptions } from '../../../adapters/transport/tcp.ts'

const { addresses, run, closing } = bench()

/** A server `a`, alone, which knows of `b` and `c`. */
async function alone(more: Partial<TcpOptions> = {}): Promise<{ a: Station; at: string }> {
  const peers = await addresses('a', 'b', 'c')
  const a = run('a', peers, { idleTimeout: 60_000, ...more })
  await a.noticed('listening')
  return { a, at: peers['a']! }
}

const come = async (at: string): Promise<Stranger> => closing(await strangerAt(at))

/** A stranger who has introduced himself as `b` and was let in. */
async function asB(at: string, incarnation = 'stranger'): Promise<Stranger> {
  const stranger = await come(at)
  stranger.say({ incarnation })
  await stranger.opened()
  return stranger
}

const header = (length: number, type = 1): Uint8Array => {
  const bytes = new Uint8Array(18)
  bytes.set([1, type, length, length >>> 8, length >>> 16, length >>> 24], 4)
  return bytes
}

describe('before the hello', () => {
  it.each([65_537, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1])(
    'a length of %i ends the connection, and takes no memory [F53] [F54] [F63] [bug 65]',
    async (length) => {
      const { a, at } = await alone()
      const before = process.memoryUsage().arrayBuffers
      const stranger = await come(at)
      stranger.write(header(length))
      await stranger.closed()
      await a.noticed('bad-frame', /at most 65536 allowed/)
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
      expect(stranger.bytes).toBe(0)
    },
  )

  it('garbage ends the connection [F55] [F57]', async () => {
    const { a, at } = await alone()
    for (const garbage of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\x16\x03\x01\x02\x00'.repeat(9)]) {
      const stranger = await come(at)
      stranger.write(Buffer.from(garbage, 'latin1'))
      await stranger.closed()
    }
    await a.noticed('bad-frame', /version/)
    expect(a.received).toEqual([])
  })

  it('any other frame ends the connection, and reaches nobody [F62] [F61]', async () => {
    const { a, at } = await alone()
    const sheet = new Sheet()
    sheet.add(pulse(1, Number.MAX_SAFE_INTEGER))
    const hello = encodeHello({ cluster: 'spec', from: 'b', to: 'a', incarnation: 'x' })
    for (const first of [
      Buffer.concat(sheet.take()),
      ping(),
      frame('open', encodeNumber(1)),
      frame('welcome', hello),
      frame('hello', hello.subarray(0, 9)),
      frame('hello', Uint8Array.from([...hello, 0])),
      frame('hello', Uint8Array.of(1, 0xff, 1, 65, 1, 65, 1, 65)),
    ]) {
      const stranger = await come(at)
      stranger.write(first)
      await stranger.closed()
    }
    expect(a.received).toEqual([])
    expect(a.notices.filter(({ code }) => code === 'peer-connected')).toEqual([])
  })

  it('silence, and a byte now and then, end in time [F56]', async () => {
    const { a, at } = await alone({ helloTimeout: 200 })
    const silent = await come(at)
    const slow = await come(at)
    const hello = frame(
      'hello',
      encodeHello({ cluster: 'spec', from: 'b', to: 'a', incarnation: 'x' }),
    )
    let sent = 0
    const drip = setInterval(() => slow.write(hello.subarray(sent, ++sent)), 20)
    const began = Date.now()
    await Promise.all([silent.closed(), slow.closed()])
    clearInterval(drip)
    expect(Date.now() - began).toBeGreaterThan(150)
    await a.noticed('peer-refused', /no handshake within 200 ms/)
  })

  it('a crowd is kept small, and does not keep out a peer for long [F64] [F72]', async () => {
    const { a, at } = await alone({ helloTimeout: 500 })
    const crowd = await Promise.all(Array.from({ length: 60 }, () => come(at)))
    await until(() => crowd.filter(({ isClosed }) => isClosed).length >= 28, 'some to be sent away')
    expect(crowd.filter(({ isClosed }) => isClosed)).toHaveLength(28)
    await a.noticed('peer-refused', /too many unfinished handshakes/)
    expect(a.notices.length).toBeLessThan(20)
    await until(() => crowd.every(({ isClosed }) => isClosed), 'the rest to run out of time')
    await asB(at)
  })
})

describe('the hello', () => {
  it.each(['z', '__proto__'])(
    'of a stranger called %s is refused where only named ones are welcome',
    async (from) => {
      const { a, at } = await alone({ strangers: 'refuse' })
      const stranger = await come(at)
      stranger.say({ from })
      expect(await stranger.refused()).toBe(`no server "${from}" is known here`)
      await stranger.closed()
      await a.noticed('peer-refused', /no server/)
    },
  )

  it.each([
    ['another cluster [F67]', { cluster: 'other' }, /of cluster "other", this is "spec"/],
    ['nobody', { from: '' }, /"" is no name of a server/],
    ['a name that cannot be proved', { from: 'x'.repeat(240) }, /is no name of a server/],
    ['the id of the server itself [F36] [F66]', { from: 'a' }, /called "a", as this server is/],
    ['another server in mind [F67]', { to: 'c' }, /dialled for "c", and it is "a"/],
  ])('of %s is refused, and both hear why', async (_, hello, reason) => {
    const { a, at } = await alone()
    const stranger = await come(at)
    stranger.say(hello)
    expect(await stranger.refused()).toMatch(reason)
    await stranger.closed()
    await a.noticed('peer-refused', reason)
    expect(stranger.frames.map(({ type }) => type)).toEqual(['refuse'])
  })

  it('of a stranger does not spoil the log', async () => {
    const { a, at } = await alone({ strangers: 'refuse' })
    const stranger = await come(at)
    stranger.say({ from: `evil\n\u001b[31m${'x'.repeat(200)}` })
    const { message } = await a.noticed('peer-refused', /evil/)
    // eslint-disable-next-line no-control-regex
    expect(message).not.toMatch(/[\u0000-\u001f]/)
    expect(message.length).toBeLessThan(250)
  })

  it('makes an id: from and to are not in the messages [bug 64]', async () => {
    const { a, at } = await alone()
    const b = await come(at)
    const c = await come(at)
    b.say({ from: 'b' })
    c.say({ from: 'c' })
    await Promise.all([b.opened(), c.opened()])
    b.send(pulse(1))
    c.send(pulse(2))
    await until(() => a.received.length === 2, 'both')
    const heard = a.received.map(({ from, to, message }) => [from, to, message])
    expect(heard).toContainEqual(['b', 'a', pulse(1)])
    expect(heard).toContainEqual(['c', 'a', pulse(2)])
  })

  it('cannot come twice', async () => {
    const { a, at } = await alone()
    const b = await asB(at)
    b.say({})
    await b.closed()
    await a.noticed('bad-frame', /type hello on an open connection/)
  })

  it('of a dialled server must be its own [F69]', async () => {
    const peers = await addresses('a', 'b', 'c')
    const c = run('c', { ...peers, b: peers['a']! })
    const a = run('a', { a: peers['a']!, b: peers['c']! }, { backoff: [5, 5] })
    await a.noticed('peer-refused', /refused.*dialled for .*b.*and it is .*c/)
    await c.noticed('peer-refused', /dialled for "b", and it is "c"/)
    expect([a, c].flatMap(({ notices }) => notices.map(({ code }) => code))).not.toContain(
      'peer-connected',
    )
  })
})

describe('on an open connection', () => {
  it('a wrong frame ends that connection only, and the peer may come again [F53] [F55] [F57] [F58]', async () => {
    const peers = await addresses('a', 'b', 'c')
    const a = run('a', peers, { maxFrameBytes: 100_000 })
    const c = run('c', peers)
    await meet(a, c)
    const append = new Sheet()
    append.add({ ...bigAppend(1, 10, 5), prevTerm: 9 })
    const flipped = new Sheet()
    flipped.add(bigAppend(3, 10))
    const corrupt = Buffer.concat(flipped.take())
    corrupt[corrupt.length - 1]! ^= 1
    const wrong: [Uint8Array, RegExp][] = [
      [header(100_001, 7), /100001 bytes, at most 100000/],
      [header(2 ** 32 - 1, 7), /at most 100000/],
      [corrupt, /checksum of the body/],
      [Buffer.concat(append.take()), /prevTerm 9 is after term 2/],
      [frame('message', Uint8Array.of(77)), /code 77/],
      [frame('ping', Uint8Array.of(1)), /ping without a number/],
      [frame('open', encodeNumber(9)), /type open/],
      [frame('refuse'), /type refuse/],
    ]
    for (const [i, [bytes, reason]] of wrong.entries()) {
      const b = await asB(peers['a']!, `run ${i}`)
      b.send(pulse(i + 1))
      b.write(bytes)
      b.send(pulse(999))
      await b.closed()
      // Five of one kind are told in a second.
      if (i < 5) await a.noticed('bad-frame', reason)
      await until(
        () => a.received.filter(({ from }) => from === 'b').length > i,
        'the pulse before',
      )
    }
    const rounds = a.received.map(({ message }) => message.type === 'heartbeat' && message.round)
    expect(rounds).toEqual(wrong.map((_, i) => i + 1))
    await meet(a, c)
    expect(a.notices.filter(({ code, peer }) => code !== 'peer-connected' && peer === 'c')).toEqual(
      [],
    )
  })

  it('half a frame is nothing [F55]', async () => {
    const { a, at } = await alone()
    const b = await asB(at)
    const sheet = new Sheet()
    sheet.add(bigAppend(100, 1_000))
    b.write(Buffer.concat(sheet.take()).subarray(0, 50_000))
    b.socket.end()
    await b.closed()
    await a.noticed('peer-disconnected')
    expect(a.received).toEqual([])
  })

  it('whole messages come through in any pieces, and mutated ones never [F55] [F57] [F58]', async () => {
    const { a, at } = await alone({ maxFrameBytes: 1 << 20 })
    const change = fc.record({ at: fc.nat(), by: fc.integer({ min: 1, max: 255 }), cut: fc.nat() })
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyMessage, { minLength: 1, maxLength: 4 }),
        change,
        async (said, it) => {
          a.received.length = 0
          const sheet = new Sheet()
          for (const message of said) sheet.add(message)
          const wire = Buffer.concat(sheet.take())
          const b = await asB(at, `fuzz ${run++}`)
          const cut = it.cut % wire.length
          b.write(wire.subarray(0, cut), wire.subarray(cut))
          await until(() => a.received.length === said.length, 'the messages')
          expect(a.received.map(({ message }) => message)).toEqual(said)
          const altered = Buffer.from(wire)
          altered[it.at % wire.length]! ^= it.by
          b.socket.end(altered)
          await b.closed()
          for (const { message } of a.received.slice(said.length))
            expect(said).toContainEqual(message)
          expect(a.error).toBeUndefined()
        },
      ),
      { numRuns: 60 },
    )
  })

  it('random bytes from many strangers leave the others alone', async () => {
    const peers = await addresses('a', 'b', 'c')
    const [a, c] = [run('a', peers, { helloTimeout: 100 }), run('c', peers)]
    await meet(a, c)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        const stranger = await come(peers['a']!)
        stranger.write(bytes)
        await stranger.closed()
      }),
      { numRuns: 30 },
    )
    await reach(c, a)
    await reach(a, c)
    expect(a.received).toEqual([])
  })
})

it('a message that no peer would accept is not sent, and the connection stays [F58]', async () => {
  const peers = await addresses('a', 'b')
  const [a, b] = [run('a', peers, { maxFrameBytes: 65_536 }), run('b', peers)]
  await meet(a, b)
  a.send('b', pulse(NaN), bigAppend(1, 70_000), pulse(2))
  await until(() => b.received.length > 0, 'the right one')
  expect(b.received.map(({ message }) => message)).toEqual([pulse(2)])
  await a.noticed('bad-message', /round is NaN/)
  await a.noticed('bad-message', /over maxFrameBytes 65536/)
  expect(a.notices.map(({ code }) => code)).not.toContain('peer-disconnected')
})

it.each([{}, { secret: 'x'.repeat(32) }])(
  'strangers do not outlive the transport, with %j',
  async (more) => {
    const { a, at } = await alone({ helloTimeout: 60_000, ...more })
    const [silent, speaking] = [await come(at), await come(at)]
    speaking.write(header(100))
    await new Promise((resolve) => setImmediate(resolve))
    a.stop()
    await silent.closed()
    await speaking.closed()
  },
)
