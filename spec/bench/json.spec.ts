import { expect, it } from 'vitest'
import { json } from '../../bench/json.ts'
import { figure } from '../../bench/report.ts'

it('writes the machine, the command and every figure with its names in their order', () => {
  const result = figure({
    ...{ suite: 's', case: 'c', metric: 'm', unit: 'u', values: [2, 4, 6] },
    yardstick: { name: 'y', values: [1, 1, 2] },
    aim: { atLeast: 3 },
  })
  const written = json('two cores', 'npm run bench -- s', [result])
  expect(JSON.parse(written)).toEqual({
    machine: 'two cores',
    command: 'npm run bench -- s',
    results: [
      {
        ...{ suite: 's', case: 'c', metric: 'm', unit: 'u', median: 4, min: 2, max: 6, runs: 3 },
        values: [2, 4, 6],
        ...{ ratioTo: 'y', ratio: 3, target: 3, met: true },
      },
    ],
  })
  const names = 'suite case metric unit median min max runs values ratioTo ratio target met'
  expect(Object.keys((JSON.parse(written) as { results: object[] }).results[0]!).join(' ')).toBe(
    names,
  )
})
