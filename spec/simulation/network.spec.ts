import { Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { Envelope, Message } from '../../lib/messages.ts'
import { Chance } from '../../testing/simulation/chance.ts'
import { VirtualClock } from '../../testing/simulation/clock.ts'
import type { NetworkFault } from '../../testing/simulation/faults.ts'
import { SimulatedNetwork } from '../../testing/simulation/network.ts'

const ids = ['a', 'b', 'c', 'd', 'e']
const now = (run: () => void): void => run()
const round = (number: number): Message => ({ type: 'heartbeatReply', term: 1, round: number })

function connected() {
  const clock = new VirtualClock()
  const struck: string[] = []
  const heard: (Envelope & { at: number })[] = []
  const network = new SimulatedNetwork(ids, clock, new Chance(1, 'network'), {
    delivered: () => undefined,
    disturbed: (fault) => struck.push(fault),
  })
  const outbound = new Map(ids.map((id) => [id, new Subject<Envelope>()]))
  const stays = new Map(
    ids.map((id) => [
      id,
      network
        .join(
          id,
          now,
        )(outbound.get(id)!)
        .subscribe((envelope) => heard.push({ ...(envelope as Envelope), at: clock.now() })),
    ]),
  )
  const send = (from: string, to: string, message: Message): void =>
    outbound.get(from)!.next({ from, to, message })
  const sendMany = (count: number): void => {
    for (let i = 0; i < count; i++) clock.at(i, () => send('a', 'b', round(i)))
    clock.runUntil(count + 1000)
  }
  const rounds = (): number[] => heard.map(({ message }) => (message as { round: number }).round)
  /** Who hears whom: `ab` when b hears a. */
  const ways = (fault: NetworkFault): string[] => {
    network.inject(fault)
    heard.length = 0
    for (const from of ids) for (const to of ids) if (from !== to) send(from, to, round(0))
    clock.runUntil(clock.now() + 100)
    return heard.map(({ from, to }) => from + to).sort()
  }
  return { clock, network, heard, struck, stays, send, sendMany, rounds, ways }
}

const all = ids.flatMap((from) => ids.filter((to) => to !== from).map((to) => from + to))
const within = (...groups: string[]): string[] =>
  all.filter(([from, to]) => groups.some((g) => g.includes(from!) && g.includes(to!))).sort()

describe('the simulated network', () => {
  it('takes its time and keeps the order of each sender', () => {
    const { sendMany, rounds, heard } = connected()
    sendMany(200)
    expect(rounds()).toEqual(Array.from({ length: 200 }, (_, i) => i))
    for (const [i, { at }] of heard.entries()) {
      expect(at - i).toBeGreaterThanOrEqual(0.5)
      expect(at - i).toBeLessThan(4)
    }
  })

  it('loses, [F1] and says so', () => {
    const { network, sendMany, heard, struck } = connected()
    network.inject({ type: 'lose', rate: 0.3 })
    sendMany(200)
    expect(heard.length).toBeGreaterThan(100)
    expect(heard.length).toBeLessThan(180)
    expect(struck).toHaveLength(200 - heard.length)
    expect(new Set(struck)).toEqual(new Set(['lose']))
  })

  it('doubles, and says so', () => {
    const { network, sendMany, heard, struck } = connected()
    network.inject({ type: 'duplicate', rate: 0.3 })
    sendMany(200)
    expect(heard.length).toBeGreaterThan(220)
    expect(struck).toHaveLength(heard.length - 200)
    expect(new Set(struck)).toEqual(new Set(['duplicate']))
  })

  it('reorders, and says so', () => {
    const { network, sendMany, rounds, struck } = connected()
    network.inject({ type: 'reorder', rate: 0.5 })
    sendMany(200)
    const sorted = Array.from({ length: 200 }, (_, i) => i)
    expect(rounds()).not.toEqual(sorted)
    expect([...rounds()].sort((a, b) => a - b)).toEqual(sorted)
    expect(struck).toContain('reorder')
  })

  it('holds up, and says so', () => {
    const { network, sendMany, heard, struck } = connected()
    network.inject({ type: 'delay', ms: 100 })
    sendMany(20)
    expect(heard.some(({ at }) => at > 60)).toBe(true)
    expect(struck).toEqual(Array.from({ length: 20 }, () => 'delay'))
  })

  it('repeats much later, and says so: what it repeats has arrived in its time', () => {
    const { network, sendMany, heard, rounds, struck } = connected()
    network.inject({ type: 'echo', rate: 0.5, ms: 500 })
    sendMany(200)
    expect(new Set(rounds()).size).toBe(200)
    expect(heard.length).toBeGreaterThan(260)
    expect(struck).toEqual(Array.from({ length: heard.length - 200 }, () => 'echo'))
    const late = heard.filter(({ at, message }) => at - (message as { round: number }).round > 250)
    expect(late.length).toBeGreaterThan(20)
  })

  it('holds one direction, and releases all of it at once and in its order', () => {
    const { clock, network, heard, rounds, struck, send, sendMany } = connected()
    network.inject({ type: 'hold', from: 'a', to: 'b' })
    sendMany(20)
    expect(heard).toEqual([])
    send('b', 'a', round(99))
    clock.runUntil(2_000)
    expect(rounds()).toEqual([99])
    network.inject({ type: 'release', from: 'a', to: 'b' })
    expect(rounds()).toEqual([99, ...Array.from({ length: 20 }, (_, i) => i)])
    expect(struck).toEqual(Array.from({ length: 20 }, () => 'hold'))
    send('a', 'b', round(20))
    clock.runUntil(3_000)
    expect(heard).toHaveLength(22)
  })

  it('loses what it held when a cut lies across the way by then', () => {
    const { network, heard, sendMany } = connected()
    network.inject({ type: 'hold', from: 'a', to: 'b' })
    sendMany(3)
    network.inject({ type: 'cut', from: 'a', to: 'b' })
    network.releaseAll()
    expect(heard).toEqual([])
  })

  it('cuts one way, and heals', () => {
    const { ways } = connected()
    expect(ways({ type: 'cut', from: 'a', to: 'b' })).toEqual(all.filter((way) => way !== 'ab'))
    expect(ways({ type: 'heal' })).toEqual(all)
  })

  it('divides: partition, bridge and ring', () => {
    const { ways } = connected()
    const groups = [
      ['a', 'b'],
      ['d', 'e'],
    ]
    const partition = [
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]
    expect(ways({ type: 'partition', groups: partition })).toEqual(within('ab', 'cde'))
    expect(ways({ type: 'bridge', over: 'c', groups })).toEqual(within('abc', 'cde'))
    const ring = ways({ type: 'ring', order: ['a', 'c', 'e', 'b', 'd'] })
    expect(ring).toEqual(within('ac', 'ce', 'eb', 'bd', 'da'))
  })

  it('loses what is on its way when a cut falls, and what is sent to a server that is down', () => {
    const { clock, network, heard, stays, send } = connected()
    send('a', 'b', round(1))
    network.inject({ type: 'cut', from: 'a', to: 'b' })
    clock.runUntil(10)
    expect(heard).toEqual([])
    network.inject({ type: 'heal' })
    stays.get('b')!.unsubscribe()
    send('a', 'b', round(2))
    clock.runUntil(20)
    expect(heard).toEqual([])
  })

  it('shares nothing that could change between sender and receiver', () => {
    const { clock, heard, send } = connected()
    const batch = { index: 1, term: 1, kind: 'noop', count: 1, bytes: new Uint8Array(4) } as const
    const batches = [batch]
    const message = {
      type: 'append',
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      batches,
      commit: 0,
    } as const
    send('a', 'b', message)
    batches.length = 0
    clock.runUntil(10)
    const [received] = heard
    expect(received!.message).not.toBe(message)
    expect(received!.message).toEqual({ ...message, batches: [batch] })
  })
})
