import { describe, expect, it } from 'vitest'
import { memory, open } from '../../bench/soak.ts'

const looks = (gain: number): number[][] =>
  Array.from({ length: 60 }, (_, i) => [100 + gain * i, 100, 100 + (i % 2)])

describe('the memory of a soak', () => {
  it('grows where its straight line does, in MB a minute', () => {
    const found = memory(looks(0.5))
    expect(found.find((it) => it.metric === 'slope')?.median).toBeCloseTo(15)
    const growth = found.filter((it) => it.metric === 'growth')
    expect(growth.map((it) => it.met)).toEqual([false, true, true])
  })

  it('counts only from the middle on', () => {
    const late = looks(0).map((look, i) => [i < 30 ? i : 100, ...look.slice(1)])
    expect(memory(late).every((it) => it.met !== false)).toBe(true)
  })
})

describe('the handles of a soak', () => {
  it('are the same before and after, kind by kind', () => {
    const before = [{ Timeout: 2, TCPSocketWrap: 4 }, { Timeout: 2 }, { Timeout: 2 }]
    expect(open(before, before).every(({ met }) => met === true)).toBe(true)
    const after = [{ Timeout: 3, TCPSocketWrap: 4 }, { Timeout: 2, PipeWrap: 1 }, {}]
    expect(open(before, after).map(({ median }) => median)).toEqual([1, 1, 1])
  })
})
