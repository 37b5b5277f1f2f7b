import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Histogram } from '../../bench/harness/histogram.ts'
import type { Outcome } from '../../bench/harness/cluster.ts'
import { growth, ratios, spread } from '../../bench/harness/statistics.ts'
import { results, type Case, type Result } from '../../bench/report.ts'

describe('spread', () => {
  it('is the middle of an odd number, and the mean of the middle two of an even one', () => {
    expect(spread([9, 1, 3])).toEqual({ median: 3, min: 1, max: 9 })
    expect(spread([9, 1, 3, 4])).toEqual({ median: 3.5, min: 1, max: 9 })
  })
})

describe('ratios', () => {
  it('compare each run with the run beside it', () => {
    expect(ratios([1, 4], [2, 4])).toEqual([0.5, 1])
  })
})

describe('a histogram', () => {
  it('gives percentiles that are right to 1 %', () => {
    const latency = fc.double({ min: 0.002, max: 10_000, noNaN: true })
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1 }), fc.constantFrom(0.5, 0.99), (all, p) => {
        const histogram = new Histogram()
        all.forEach((ms) => histogram.record(ms))
        const exact = all.sort((a, b) => a - b)[Math.ceil(p * all.length) - 1]!
        expect(Math.abs(histogram.percentile(p) / exact - 1)).toBeLessThan(0.0101)
      }),
    )
  })

  it('knows the longest as it was', () => {
    const histogram = new Histogram()
    for (const ms of [1, 7.25, 3]) histogram.record(ms)
    expect(histogram.max).toBe(7.25)
    histogram.clear()
    expect(histogram.max).toBeNaN()
  })

  it('has no percentile of nothing', () => {
    expect(new Histogram().percentile(0.5)).toBeNaN()
  })
})

describe('the growth of values', () => {
  it('is what the best straight line gains from the first to the last, by their mean', () => {
    expect(growth([90, 100, 110])).toBeCloseTo(0.2)
    expect(growth([110, 100, 90])).toBeCloseTo(-0.2)
  })

  it('is nothing where nothing changes, or nothing can be said', () => {
    expect(growth([5, 5, 5])).toBe(0)
    expect(growth([5])).toBe(0)
  })

  it('is not that of values that go up and down', () => {
    expect(Math.abs(growth([100, 130, 100, 130, 100, 130, 100]))).toBeLessThan(0.01)
  })
})

describe('the report', () => {
  const process = { cpu: 0.5, rss: 100e6 }
  const processes = [process, process, { cpu: 0.25, rss: 200e6 }]
  const run = (rate: number, p99 = 2): Outcome => {
    return { rate, p50: 1, p99, p999: 3, max: 4, cpu: 5, processes }
  }
  const yardstick = { name: 'ceiling 16', runs: [run(100), run(200)] }
  const found = (subject: Omit<Case, 'name'>, metric: string): Result | undefined =>
    results('x', { name: 'engine 16', ...subject }, yardstick).find((it) => it.metric === metric)

  it('measures one against the other, pair by pair', () => {
    const runs = [run(40), run(100)]
    expect(found({ runs, targets: { throughput: 0.5 } }, 'throughput')).toEqual({
      ...{ suite: 'x', case: 'engine 16', metric: 'throughput', unit: 'commits/s' },
      ...{ median: 70, min: 40, max: 100, runs: 2, values: [40, 100], ratioTo: 'ceiling 16' },
      ...{ ratio: 0.45, ratioMin: 0.4, ratioMax: 0.5, target: 0.5, met: false },
    })
  })

  it('takes a latency that is less than what is aimed at for one that meets it', () => {
    const targets = { p99: 3 }
    expect(found({ runs: [run(1, 6), run(1, 5)], targets }, 'p99')).toMatchObject({ met: true })
    expect(found({ runs: [run(1, 7), run(1, 6)], targets }, 'p99')).toMatchObject({ met: false })
  })

  it('aims at nothing where nothing is said', () => {
    expect(found({ runs: [run(1), run(1)] }, 'p99')).toMatchObject({ target: null, met: null })
  })

  it('tells what each process takes', () => {
    const runs = [run(1), run(1)]
    expect(found({ runs }, 'rss follower 2')).toMatchObject({ unit: 'MB', median: 200 })
    expect(found({ runs }, 'cpu leader')).toMatchObject({ unit: 'cores', median: 0.5 })
  })
})
