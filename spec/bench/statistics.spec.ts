import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Histogram } from '../../bench/harness/histogram.ts'
import { ratios, spread } from '../../bench/harness/statistics.ts'
import { results } from '../../bench/report.ts'
import { ceiling } from '../../bench/suites.ts'

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

  it('has no percentile of nothing', () => {
    expect(new Histogram().percentile(0.5)).toBeNaN()
  })
})

describe('the report', () => {
  const run = (rate: number) => ({ rate, p50: 1, p99: 2, cpu: 3 })
  const suite = { name: 'x', about: '', subject: ceiling, targets: { 16: 0.5 } }
  const found = results(suite, {
    outstanding: 16,
    yardstick: [run(100), run(200)],
    subject: [run(40), run(100)],
  })

  it('measures the engine against the ceiling, pair by pair', () => {
    expect(found.find((it) => it.case === 'engine 16' && it.metric === 'throughput')).toEqual({
      ...{ suite: 'x', case: 'engine 16', metric: 'throughput', unit: 'commits/s', runs: 2 },
      ...{ median: 70, min: 40, max: 100, ratioTo: 'ceiling 16' },
      ...{ ratio: { median: 0.45, min: 0.4, max: 0.5 }, target: 0.5, met: false },
    })
  })
})
