import { ConfigError } from '../../../lib/errors.ts'
import { describe, expect, it } from 'vitest'
import { Deadlines } from '../../../operators/engine/deadlines.ts'
import { HandClock } from '../support.ts'

function limits() {
  const clock = new HandClock()
  const expired: string[] = []
  const deadlines = new Deadlines(clock)
  const set = (ms: number, name: string) => deadlines.set(ms, { expire: () => expired.push(name) })
  return { clock, expired, deadlines, set }
}

describe('deadlines', () => {
  it('expire in time, each once', () => {
    const { clock, expired, set } = limits()
    set(100, 'x')
    clock.run(50)
    set(100, 'y')
    set(20, 'z')
    clock.run(69)
    expect(expired).toEqual([])
    clock.run(70)
    expect(expired).toEqual(['z'])
    clock.run(100)
    expect(expired).toEqual(['z', 'x'])
    clock.run(1000)
    expect(expired).toEqual(['z', 'x', 'y'])
  })

  it('do not expire when they are met', () => {
    const { clock, expired, set } = limits()
    const met = set(100, 'x')
    set(100, 'y')
    met.unsubscribe()
    clock.run(1000)
    expect(expired).toEqual(['y'])
  })

  it('that are infinite never expire and cost nothing', () => {
    const { clock, expired, set } = limits()
    set(Infinity, 'x').unsubscribe()
    clock.run(1e9)
    expect(expired).toEqual([])
    expect(clock.calls).toBe(0)
  })

  it('that are met are forgotten also behind one that is not', () => {
    const { clock, deadlines, expired, set } = limits()
    set(5000, 'first')
    for (let i = 0; i < 100_000; i++) set(5000, 'met').unsubscribe()
    expect(deadlines.size).toBeLessThan(2000)
    clock.run(1)
    set(5000, 'last')
    clock.run(5000)
    expect(expired).toEqual(['first'])
    clock.run(5001)
    expect(expired).toEqual(['first', 'last'])
    expect(deadlines.size).toBe(0)
  })

  it('of one length share a timer, by the hundred thousand', () => {
    const { clock, expired, set } = limits()
    const met = Array.from({ length: 100_000 }, () => set(5000, 'met'))
    set(5000, 'late')
    for (const one of met) one.unsubscribe()
    expect(clock.calls).toBe(1)
    expect(clock.pending).toBe(1)
    clock.run(5000)
    expect(expired).toEqual(['late'])
    expect(clock.pending).toBe(0)
  })

  it('expire late rather than never after a stall, in their order', () => {
    const { clock, expired, set } = limits()
    set(100, 'x')
    set(100, 'y')
    clock.stall(10_000)
    expect(expired).toEqual(['x', 'y'])
  })

  it('may be set while others expire', () => {
    const { clock, expired, deadlines } = limits()
    const later = { expire: () => expired.push(`at ${clock.time}`) }
    deadlines.set(100, { expire: () => deadlines.set(100, later) })
    clock.run(1000)
    expect(expired).toEqual(['at 200'])
  })

  it('may be taken back by one that expires at the same time, and those behind them expire', () => {
    const { clock, expired, deadlines, set } = limits()
    deadlines.set(100, { expire: () => second.unsubscribe() })
    const second = set(100, 'second')
    clock.run(50)
    set(100, 'third')
    clock.run(1000)
    expect(expired).toEqual(['third'])
    expect(deadlines.size).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('leave no timer when the node stops', () => {
    const { clock, expired, deadlines, set } = limits()
    set(100, 'x')
    set(200, 'y')
    deadlines.stop()
    expect(clock.pending).toBe(0)
    clock.run(1000)
    expect(expired).toEqual([])
  })

  it('leave no timer when they are set and met after that', () => {
    const { clock, deadlines, set } = limits()
    deadlines.stop()
    set(100, 'x').unsubscribe()
    expect(clock.pending).toBe(0)
  })

  it.each([2 ** 31, 0, -1, NaN])('refuse %s ms, which no timer can wait for', (ms) => {
    expect(() => new Deadlines(new HandClock()).set(ms, { expire: () => undefined })).toThrow(
      ConfigError,
    )
  })
})
