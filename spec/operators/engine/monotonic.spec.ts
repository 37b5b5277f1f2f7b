import { interval, take } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LONGEST } from '../../../operators/engine/deadlines.ts'
import { monotonic } from '../../../operators/engine/monotonic.ts'

describe('monotonic', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('waits a millisecond longer, because the system counts from up to one before', () => {
    const rung: string[] = []
    monotonic.schedule((name) => rung.push(name), 10, 'x')
    vi.advanceTimersByTime(10)
    expect(rung).toEqual([])
    vi.advanceTimersByTime(1)
    expect(rung).toEqual(['x'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits as long as a timer can', () => {
    const rung: number[] = []
    monotonic.schedule(() => rung.push(LONGEST), LONGEST)
    vi.advanceTimersByTime(LONGEST - 1)
    expect(rung).toEqual([])
    vi.advanceTimersByTime(1)
    expect(rung).toEqual([LONGEST])
  })

  it('does nothing that was taken back', () => {
    const rung: string[] = []
    const work = monotonic.schedule(() => rung.push('x'), 10)
    work.unsubscribe()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(100)
    expect(rung).toEqual([])
  })

  it('does again what asks for it, as intervals do, until it is taken back', () => {
    const seen: number[] = []
    interval(10, monotonic)
      .pipe(take(3))
      .subscribe((i) => seen.push(i))
    vi.advanceTimersByTime(100)
    expect(seen).toEqual([0, 1, 2])
    expect(vi.getTimerCount()).toBe(0)
  })
})
