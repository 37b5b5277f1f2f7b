import { describe, expect, it } from 'vitest'
import { parse } from '../../bench/options.ts'
import { json } from '../../bench/json.ts'
import { drawingsOf } from '../../bench/plots/drawings.ts'
import { recordIn, type Record } from '../../bench/plots/record.ts'
import { figure, type Figure, type Result } from '../../bench/report.ts'

const record = (results: readonly Result[], command = 'npm run bench -- it'): Record =>
  recordIn(json('two cores', command, results), 'file.json')

const http = (servers: number, clients: number, values: number[], aim?: number): Result =>
  figure({
    ...{ suite: 'http', case: `${servers} servers, ${clients} clients`, metric: 'throughput' },
    ...{ unit: 'ops/s', values },
    ...(aim !== undefined && {
      yardstick: { name: 'theirs', values: values.map(() => 100) },
      aim: { atLeast: aim },
    }),
  })

const outage = (store: string, values: number[], more: Partial<Figure> = {}): Result =>
  figure({ suite: 'failover', case: store, metric: 'outage', unit: 'ms', values, ...more })

const drawn = (...results: Result[]): string => drawingsOf([record(results)])[0]!.svg

const numbers = (svg: string, pattern: RegExp): number[] =>
  [...svg.matchAll(pattern)].map(([, number]) => Number(number))

/** How high the dots of a colour stand, from left to right. */
function dots(svg: string, colour: string): number[] {
  const [marks] = new RegExp(`<g fill="${colour}" aria-label="dot">.*?</g>`).exec(svg) ?? ['']
  return numbers(marks, /cy="([\d.]+)"/g)
}

const OURS = '#3f7fe8'
const ALL_RATES = [100, 1_000, 10_000]

describe('a plot over the load', () => {
  const svg = drawn(...[1, 100, 200].map((clients, i) => http(3, clients, [ALL_RATES[i]!])))

  it('has a dot for each median, the same factor the same distance higher', () => {
    const [low, middle, high] = dots(svg, OURS)
    expect(low! - middle!).toBeGreaterThan(20)
    expect(low! - middle!).toBeCloseTo(middle! - high!, 0)
  })

  it('joins them by a line, in the order of the loads', () => {
    const backwards = drawn(...[200, 1, 100].map((clients) => http(3, clients, [10 * clients])))
    const [path] = /M(?!0,0)[\d.]+,[\d.]+L[\d.,L]+/.exec(backwards)!
    const places = numbers(path, /[ML]([\d.]+),/g)
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places).toHaveLength(3)
  })

  it('has a bar from the least to the most of all runs', () => {
    const bars = drawn(http(3, 200, [10, 1_000, 100]))
    const [, from, to] = /<line [^>]*y2="([\d.]+)" y1="([\d.]+)"[^>]*>/.exec(
      /<g stroke-width="2"[^>]*aria-label="rule">.*?<\/g>/.exec(bars)![0],
    )!
    const [middle] = dots(bars, OURS)
    expect((Number(from) + Number(to)) / 2).toBeCloseTo(middle!, 0)
    expect(Math.abs(Number(from) - Number(to))).toBeGreaterThan(100)
  })

  it('has a dash where the median would just reach the aim', () => {
    // 15 times 100: as much above 300 as 300 is above 60.
    const aimed = drawn(http(3, 1, [60]), http(3, 100, [300]), http(3, 200, [200], 15))
    const [aim] = numbers(aimed, /translate\([\d.]+,([\d.]+)\) rotate\(90\)/g)
    const [low, middle] = dots(aimed, OURS)
    expect(middle! - aim!).toBeCloseTo(low! - middle!, 0)
  })

  it('has what is published beside it, dashed, for the same servers and clients alone', () => {
    expect(svg.match(/aria-label="line"/g)).toHaveLength(2)
    expect(svg.match(/<g stroke-dasharray="4 3"[^>]*aria-label="line"/g)).toHaveLength(1)
    const unpublished = drawn(http(3, 30, [100]))
    expect(unpublished).not.toContain('<g stroke-dasharray="4 3"')
  })

  it('marks every load', () => {
    for (const load of [1, 100, 200]) expect(svg).toContain(`>${load}</text>`)
    expect(svg).not.toContain('>50</text>')
  })
})

describe('a plot of outages', () => {
  const svg = drawn(outage('rxraft', [300, 200, 400]), outage('etcd', [1_000, 2_000]))

  it('has a line for each store, upwards from the shortest to the longest', () => {
    const lines = [...svg.matchAll(/<path d="(M(?!0,0)[^"]*L[^"]*)"/g)].map(([, path]) => path!)
    expect(lines).toHaveLength(2)
    for (const path of lines) {
      const [places, heights] = [numbers(path, /[ML]([\d.]+),/g), numbers(path, /,([\d.]+)/g)]
      expect(places).toEqual([...places].sort((a, b) => a - b))
      expect(heights).toEqual([...heights].sort((a, b) => b - a))
    }
  })

  it('has a line at what is aimed at', () => {
    const yardstick = { name: 'etcd', values: [1_000, 1_000, 1_000] }
    const aimed = drawn(outage('rxraft', [300, 200, 400], { yardstick, aim: { atMost: 0.3 } }))
    expect(aimed.match(/<g stroke-dasharray="5 2"[^>]*aria-label="rule"/g)).toHaveLength(1)
    expect(svg).not.toContain('stroke-dasharray="5 2"')
  })
})

describe('the drawings', () => {
  it('are those of the suites that the files have', () => {
    expect(drawingsOf([])).toEqual([])
    expect(drawingsOf([record([figureOf('wan')])])).toEqual([])
    const both = drawingsOf([record([http(3, 1, [5])]), record([outage('etcd', [5])])])
    expect(both.map(({ file }) => file)).toEqual(['http.svg', 'failover.svg'])
  })

  it('have one row less where nothing of a size was measured', () => {
    const put = { ...figureOf('client'), case: 'rxraft: put 64 B, 16 clients', metric: 'p50' }
    expect(drawingsOf([record([put])]).map(({ file }) => file)).toEqual(['clients-64.svg'])
  })

  it('show what the last file says, and where all of it comes from', () => {
    const early = record([http(3, 1, [5]), http(3, 200, [50])], 'npm run bench -- early')
    const late = record([http(3, 200, [5])], 'npm run bench -- late')
    const [{ svg } = { svg: '' }] = drawingsOf([early, late])
    const [one, two] = dots(svg, OURS)
    expect(one).toBe(two)
    expect(svg).toMatch(/>npm run bench -- early: two cores\.</)
    expect(svg).toMatch(/>npm run bench -- late: two cores\.</)
  })

  it('are always the same for the same figures, and well-formed', () => {
    const all = [http(3, 1, [5, 7, 9]), http(5, 200, [50], 3), http(7, 10, [1e6])]
    const svg = drawn(...all)
    expect(drawn(...all)).toBe(svg)
    expect(svg.match(/<[a-z]+/g)).toHaveLength(svg.match(/<\/[a-z]+>|\/>/g)!.length)
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('follow whether the reader wants it dark', () => {
    expect(drawn(http(3, 1, [5]))).toContain('@media (prefers-color-scheme: dark)')
  })

  it('tell text from markup', () => {
    const [{ svg } = { svg: '' }] = drawingsOf([record([http(3, 1, [5])], 'a <b> & c')])
    expect(svg).toContain('a &lt;b&gt; &amp; c')
  })
})

describe('a file that is no record', () => {
  const good = JSON.parse(json('two cores', 'it', [figureOf('http')])) as {
    results: readonly object[]
  }
  const wrong: readonly (readonly [unknown, string])[] = [
    [undefined, 'f.json is no JSON'],
    [null, 'f.json has no "machine"'],
    [{ ...good, command: 1 }, 'f.json has no "command"'],
    [{ ...good, results: {} }, 'f.json has no "results"'],
    [{ ...good, results: [null] }, 'f.json, result 1: "suite" is undefined'],
    [{ ...good, results: [...good.results, { ...good.results[0], min: '1' }] }, 'result 2: "min"'],
    [{ ...good, results: [{ ...good.results[0], values: [null] }] }, '"values" is [null]'],
  ]

  it.each(wrong)('%j is refused by name', (content, said) => {
    const text = content === undefined ? 'no JSON' : JSON.stringify(content)
    const read = (): unknown => recordIn(text, 'f.json')
    expect(read).toThrow(said)
    expect(read).toThrow('npm run bench -- … --json FILE')
  })
})

describe('the command of a record', () => {
  it('is what was typed, without places on this machine', () => {
    const typed = [
      'http',
      '--runs',
      '3',
      '--json',
      '/a/b.json',
      '--dir=/c',
      '--quick',
      '--profile',
      'p',
    ]
    expect(parse(typed)?.command).toBe('npm run bench -- http --runs 3 --quick')
  })
})

function figureOf(suite: string): Result {
  return figure({ suite, case: 'c', metric: 'm', unit: 'u', values: [1] })
}
