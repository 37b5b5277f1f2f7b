import { describe, expect, it } from 'vitest'
import { list, number } from '../../bench/list.ts'
import { figure, type Figure } from '../../bench/report.ts'

const measured = (given: Partial<Figure>): Figure => {
  return { suite: 's', case: 'c', metric: 'm', unit: 's', values: [1, 2, 3], ...given }
}

describe('a figure', () => {
  it('aims with its median where there is no yardstick', () => {
    expect(figure(measured({ aim: { atMost: 2 } }))).toMatchObject({ ratio: null, met: true })
    expect(figure(measured({ aim: { atMost: 1.9 } }))).toMatchObject({ target: 1.9, met: false })
    expect(figure(measured({ aim: { atLeast: 2.1 } }))).toMatchObject({ met: false })
  })

  it('aims with the ratio where there is one', () => {
    const yardstick = { name: 'y', values: [2, 2, 2] }
    const found = figure(measured({ yardstick, aim: { atMost: 1 } }))
    expect(found).toMatchObject({ ratio: 1, ratioMin: 0.5, ratioMax: 1.5, ratioTo: 'y', met: true })
  })
})

describe('a line', () => {
  it('says what was measured, beside what, and what was aimed at', () => {
    const yardstick = { name: 'y', values: [2, 2, 2] }
    const line = list([figure(measured({ yardstick, aim: { atMost: 0.5 } }))])
    expect(line).toMatch(/^c +m +2 \(1–3\) s {2}× 1 \(0.5–1.5\) of y {2}missed: 0.5$/)
  })

  it('shows three digits that count', () => {
    expect([0.012345, 1.005, 42.25, 1234.5].map(number)).toEqual([
      ...['0.0123', '1', '42.3', '1,235'],
    ])
  })
})
