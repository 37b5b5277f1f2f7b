import { describe, expect, it } from 'vitest'
import { svg } from './plot.ts'
import { fiveWrites, others } from './readings.ts'
import { markdown, type Row } from './report.ts'
import { quantile, statisticsOf } from './statistics.ts'
import { thesis } from './thesis.ts'
import { downTime, downTimes, type Experiment, type Range } from './trial.ts'

const plain = (timeouts: Range): Experiment => ({ ...fiveWrites, timeouts, preVote: false })

describe('the time without a leader', () => {
  it('is the same for the same seed and another for another', () => {
    const experiment = plain([150, 300])
    expect(downTime(experiment, 7)).toBe(downTime(experiment, 7))
    expect(downTime(experiment, 8)).not.toBe(downTime(experiment, 7))
  })

  it.each(thesis)(
    'is about that of the thesis with timeouts of %j',
    (timeouts, { median, p99 }) => {
      const ours = statisticsOf(downTimes(plain(timeouts), 300))
      expect(ours.median / median).toBeGreaterThan(0.85)
      expect(ours.median / median).toBeLessThan(1.15)
      expect(ours.p99 / p99).toBeGreaterThan(0.6)
      expect(ours.p99 / p99).toBeLessThan(1.4)
    },
  )

  it('begins anywhere between two pulses, and counts the silence from the last one', () => {
    const ours = downTimes(plain([150, 155]), 200)
    // Half the timeouts, and what a request, a vote and the first word of a leader take.
    expect(ours[0]).toBeGreaterThan(150 - 75 + 4)
    expect(ours[0]).toBeLessThan(150 - 75 + 20)
    const wide = downTimes(plain([150, 300]), 200)
    expect(quantile(wide, 0.9) - quantile(wide, 0.1)).toBeGreaterThan(75)
  })

  it('is longer where two of the four cannot win, as most of their timers ring in vain', () => {
    // The first of two timers is later than the first of four: 50 ms after the shortest, not 30 ms.
    const silence = 150 + 50 - 75 / 2
    const ours = downTimes(plain([150, 300]), 600)
    expect(mean(ours)).toBeGreaterThan(silence + 4)
    expect(mean(ours)).toBeLessThan(silence + 20)
  })

  it('has everybody start to wait at the same pulse, so that slow requests split nearly every vote', () => {
    const [, , , inTheNetwork] = others
    const ours = downTimes({ ...inTheNetwork!, timeouts: [150, 155], preVote: false }, 60)
    expect(quantile(ours, 0.15)).toBeGreaterThan(200)
    expect(quantile(ours, 0.5)).toBeGreaterThan(700)
  })

  it('hardly splits votes where servers ask in advance', () => {
    const ours = statisticsOf(downTimes({ ...plain([150, 155]), preVote: true }, 100))
    expect(ours.median).toBeLessThan(140)
  })
})

describe('statistics', () => {
  it('are the smallest values that are not exceeded by enough of them', () => {
    const hundreds = Array.from({ length: 200 }, (_, i) => i + 1)
    expect(statisticsOf(hundreds)).toEqual({ median: 100, p99: 198, max: 200 })
    expect(statisticsOf([1, 2, 30])).toEqual({ median: 2, p99: 30, max: 30 })
    expect(statisticsOf([5])).toEqual({ median: 5, p99: 5, max: 5 })
    expect(quantile([5, 6], 0)).toBe(5)
  })

  it('of nothing are nothing', () => {
    expect(statisticsOf([])).toEqual({ median: NaN, p99: NaN, max: NaN })
  })
})

describe('the page', () => {
  const lines = markdown([row([150, 155]), row([150, 300])], 1_000).split('\n')

  it('shows each range beside the thesis', () => {
    const ranges = lines.filter((line) => /^\| 150–(155|300) /.test(line))
    expect(ranges.map(cellsOf)).toEqual([
      ['150–155', '287', '1,224', '2,143', '150', '199', '1,200', '20', '20', '20'],
      ['150–300', '287', '1,224', '2,143', '150', '199', '1,200', '20', '20', '20'],
      ['150–155', '287, 1,224', '150, 199', '40, 40'],
      ['150–300', '287, 1,224', '150, 199', '40, 40'],
    ])
    expect(lines.join(' ')).toContain('1,000 trials for each')
  })

  it('heads each column', () => {
    const [first, second] = lines.filter((line) => line.startsWith('| timeouts'))
    expect(cellsOf(first!)).toHaveLength(10)
    expect(cellsOf(second!)).toEqual(['timeouts, ms', 'thesis', fiveWrites.meaning, 'of a test'])
  })

  it('tells which part of the elections ended with the first vote', () => {
    expect(lines.join(' ')).toContain('of ours 93 %')
  })
})

describe('the plot', () => {
  const drawn = svg([row([150, 155]), row([150, 300])])

  it('draws two lines and three dots for each range, the thesis among them', () => {
    const lines = [...drawn.matchAll(/stroke="(#\w+)" fill="none" aria-label="line"/g)]
    expect(lines).toHaveLength(4)
    expect(new Set(lines.map(([, colour]) => colour)).size).toBe(2)
    expect(drawn.match(/stroke-dasharray/g)).toHaveLength(2)
    expect(drawn.match(/<circle /g)).toHaveLength(6)
    expect(drawn).toContain('150–300 ms</tspan>')
  })

  it('puts time on a logarithmic axis, later to the right, and more trials higher', () => {
    const at = (ms: number): number =>
      Number(new RegExp(`translate\\(([\\d.]+),[\\d.]+\\)" y="[\\d.]+em">${ms}<`).exec(drawn)![1])
    expect(at(100) - at(50)).toBeCloseTo(at(200) - at(100), 0)
    expect(at(2_000) - at(200)).toBeCloseTo(at(500) - at(50), 0)
    expect(at(50)).toBeLessThan(at(100))
    const ends = /d="M(?!0,0)([\d.]+),([\d.]+)L[^"]*L([\d.]+),([\d.]+)"/.exec(drawn)!
    const [left, low, right, high] = ends.slice(1).map(Number)
    expect(right).toBeGreaterThan(left!)
    expect(high).toBeLessThan(low!)
    expect(right).toBeGreaterThan(at(1_000))
  })

  it('keeps what is off the axis at its ends', () => {
    const wild = svg([{ ...row([150, 155]), plain: [1, 1_000_000], preVote: [50, 5_000] }])
    const [plain, preVote] = [...wild.matchAll(/<path d="(M(?!0,0)[^"]*L[^"]*)"/g)].map(
      ([, path]) => path,
    )
    expect(plain).toBe(preVote)
  })

  it('is well-formed', () => {
    const open = drawn.match(/<[a-z]+/g)!.length
    const closed = drawn.match(/<\/[a-z]+>|\/>/g)!.length
    expect(open).toBe(closed)
    expect(drawn).not.toMatch(/NaN|undefined/)
  })
})

/** 100 trials from 101 ms to 199 ms and one of 1,200 ms; 93 are shorter than 193.75 ms. */
function row(timeouts: Range): Row {
  const plain = [...Array.from({ length: 99 }, (_, i) => 100 + (i + 1)), 1_200].sort(
    (a, b) => a - b,
  )
  return {
    timeouts,
    thesis: { median: 287, p99: 1224, max: 2143 },
    plain,
    preVote: [20],
    others: [[{ ...fiveWrites, meaning: 'of a test' }, [40]]],
  }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
