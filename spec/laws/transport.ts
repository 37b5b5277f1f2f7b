import fc from 'fast-check'
import { EMPTY, throwError } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import type { Envelope } from '../../lib/messages.ts'
import type { NodeId } from '../../lib/types.ts'
import type { Transport } from '../../operators/adapters.ts'
import { anyMessage, bigAppend } from '../adapters/transport/messages.ts'
import {
  meet,
  pulse,
  reach,
  roundsFrom,
  start,
  until,
  type Station,
} from '../adapters/transport/station.ts'

/** The transports of the servers `a`, `b` and `c` on a network of their own. */
export type Join = (id: NodeId) => Transport

/**
 * What every transport owes the engine, on a network where nothing goes wrong but what the laws do to it.
 * Each subscription of a transport is a start of its server.
 */
export function transportLaws(name: string, make: () => Join | Promise<Join>): void {
  describe(`${name} keeps the laws of a transport`, () => {
    const running: Station[] = []
    afterEach(() => running.splice(0).forEach((station) => station.stop()))

    const run = (join: Join, id: NodeId, heard?: Heard): Station => {
      const station = start(id, join(id), heard)
      running.push(station)
      return station
    }
    const pair = async (): Promise<Pair> => {
      const join = await make()
      const [a, b] = [run(join, 'a'), run(join, 'b')]
      await meet(a, b)
      return { join, a, b }
    }
    carriageLaws(pair, run, make)
    absenceLaws(pair, run, make)
    lifeLaws(pair, run, make)
  })
}

type Heard = (envelope: Envelope, station: Station) => void
type Run = (join: Join, id: NodeId, heard?: Heard) => Station
type Pair = { readonly join: Join; readonly a: Station; readonly b: Station }

function carriageLaws(pair: () => Promise<Pair>, run: Run, make: () => Join | Promise<Join>): void {
  it('carries every kind of message as it was sent, in both directions', async () => {
    const { a, b } = await pair()
    const messages = fc.sample(anyMessage, { numRuns: 300, seed: 7 })
    a.send('b', ...messages)
    b.send('a', ...[...messages].reverse())
    await until(() => a.received.length >= 300 && b.received.length >= 300, 'all to arrive')
    expect(b.received).toEqual(messages.map((message) => ({ from: 'a', to: 'b', message })))
    expect(a.received.map(({ message }) => message)).toEqual([...messages].reverse())
  })

  it('brings to each what was sent to it, and from whom', async () => {
    const { join, a, b } = await pair()
    const c = run(join, 'c')
    await meet(a, c)
    await meet(b, c)
    for (const [from, round] of [
      [a, 1],
      [b, 2],
      [c, 3],
    ] as const) {
      for (const to of ['a', 'b', 'c']) from.send(to, pulse(round))
    }
    const heard = (station: Station): string[] =>
      station.received.map((it) => `${it.from} to ${it.to}: ${roundOf(it)}`).sort()
    await until(() => [a, b, c].every((it) => it.received.length >= 2), 'all to arrive')
    expect(heard(a)).toEqual(['b to a: 2', 'c to a: 3'])
    expect(heard(b)).toEqual(['a to b: 1', 'c to b: 3'])
    expect(heard(c)).toEqual(['a to c: 1', 'b to c: 2'])
  })

  it('keeps the order of thousands of small messages, from two at once', async () => {
    const { join, a, b } = await pair()
    const c = run(join, 'c')
    await meet(b, c)
    const rounds = Array.from({ length: 5_000 }, (_, i) => i + 1)
    for (const round of rounds) {
      a.send('b', pulse(round))
      c.send('b', pulse(round))
    }
    await until(
      () => b.received.length >= 10_000,
      'all to arrive',
      () => b.received.length,
    )
    expect(roundsFrom(b, 'a')).toEqual(rounds)
    expect(roundsFrom(b, 'c')).toEqual(rounds)
  })

  it('carries a message of a mebibyte between small ones', async () => {
    const { a, b } = await pair()
    const large = bigAppend(16, 64 * 1024)
    a.send('b', pulse(1), large, pulse(2))
    await until(() => b.received.length >= 3, 'all to arrive')
    expect(b.received.map(({ message }) => message.type)).toEqual([
      'heartbeat',
      'append',
      'heartbeat',
    ])
    const [batch] = (b.received[1]!.message as typeof large).batches
    expect(Buffer.compare(batch!.bytes, large.batches[0]!.bytes)).toBe(0)
  })

  it('answers within the delivery, thousands of times, without an end to the stack', async () => {
    const join = await make()
    const bounce: Heard = ({ from, message }, station) => {
      if (message.type === 'heartbeat' && message.round < 4_000) {
        station.send(from, pulse(message.round + 1))
      }
    }
    const a = run(join, 'a', bounce)
    const b = run(join, 'b', bounce)
    await meet(a, b)
    a.send('b', pulse(1))
    const last = (): number => roundsFrom(b, 'a').at(-1) ?? 0
    await until(() => last() >= 3_999, 'the last round', last)
    expect([a.error, b.error]).toEqual([undefined, undefined])
  })
}

function absenceLaws(pair: () => Promise<Pair>, run: Run, make: () => Join | Promise<Join>): void {
  it('does not mind that a server is not there, and finds it when it comes', async () => {
    const join = await make()
    const a = run(join, 'a')
    a.send('b', pulse(1))
    a.send('c', pulse(1))
    const b = run(join, 'b')
    await meet(a, b)
    expect(a.error).toBeUndefined()
  })

  it('finds a server again that was started again, and it finds the others', async () => {
    const { join, a, b } = await pair()
    b.stop()
    a.send('b', pulse(1))
    await meet(a, run(join, 'b'))
    a.stop()
    expect(a.error).toBeUndefined()
  })

  it('brings a server nothing that was sent to it before it was started again [F1]', async () => {
    const { join, a, b } = await pair()
    for (let round = 1; round <= 1_000; round++) a.send('b', pulse(round))
    b.stop()
    const again = run(join, 'b')
    await until(() => {
      a.send('b', pulse(2_000))
      return again.received.length > 0
    }, 'b to be reached')
    await reach(again, a)
    expect(roundsFrom(again, 'a').filter((round) => round !== 2_000)).toEqual([])
  })

  it('loses what is sent to nobody and to oneself, and nothing else', async () => {
    const { a, b } = await pair()
    a.send('nobody', pulse(1))
    a.send('__proto__', pulse(1))
    a.send('a', pulse(1))
    a.send('b', pulse(2))
    await until(() => b.received.length > 0, 'b to hear')
    await reach(b, a)
    expect(roundsFrom(b, 'a')).toEqual([2])
    expect(a.received.every(({ from }) => from === 'b')).toBe(true)
    expect(a.error).toBeUndefined()
  })
}

function lifeLaws(pair: () => Promise<Pair>, run: Run, make: () => Join | Promise<Join>): void {
  it('says nothing more once it is unsubscribed, even within a delivery', async () => {
    const { join, a, b } = await pair()
    b.stop()
    const last = run(join, 'b', ({ message }, station) => {
      if (message.type === 'heartbeat') station.stop()
    })
    await reach(a, last)
    a.send('b', pulse(1), pulse(2), pulse(3))
    await until(() => roundsFrom(last, 'a').includes(1), 'b to stop')
    await meet(a, run(join, 'b'))
    expect(roundsFrom(last, 'a')).toEqual([1])
  })

  it('can be subscribed to again, itself', async () => {
    const join = await make()
    const [a, b] = [join('a'), join('b')]
    for (let i = 0; i < 3; i++) {
      const [x, y] = [run(() => a, 'a'), run(() => b, 'b')]
      await meet(x, y)
      x.stop()
      y.stop()
    }
  })

  it('goes on listening when its source ends, and errors when that errors', async () => {
    const join = await make()
    const a = run(join, 'a')
    const heard: Envelope[] = []
    const quiet = EMPTY.pipe(join('b')).subscribe((said) => {
      if (!('source' in said)) heard.push(said)
    })
    await until(() => {
      a.send('b', pulse(1))
      return heard.length > 0
    }, 'b to hear')
    expect(quiet.closed).toBe(false)
    quiet.unsubscribe()

    const cause = new Error('the source broke')
    const errors: unknown[] = []
    throwError(() => cause)
      .pipe(join('c'))
      .subscribe({ error: (error: unknown) => errors.push(error) })
    expect(errors).toEqual([cause])
  })
}

const roundOf = ({ message }: Envelope): number =>
  message.type === 'heartbeat' ? message.round : -1
