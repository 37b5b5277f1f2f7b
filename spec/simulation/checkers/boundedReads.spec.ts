import { describe, expect, it } from 'vitest'
import { boundedReads } from '../../../testing/checkers/boundedReads.ts'
import { linearizableHistory } from '../../../testing/checkers/linearizableHistory.ts'
import type { Observation, Request, Response } from '../../../testing/checkers/observation.ts'
import { appliedRequests, ended, healed, invoked, judge, ok, returned, turn } from './support.ts'

const put = (value: string, key = 'k'): Request => ({ type: 'put', key, value })
const within: Request = { type: 'get', key: 'k', within: 5 }
const atLeast = (index: number): Request => ({ type: 'get', key: 'k', atLeast: index })
const found = (value: string | undefined, asOf?: number): Response => ({
  ...{ type: 'ok', value },
  ...(asOf !== undefined && { asOf }),
})

/** An operation that is done at `at`. */
const done = (
  operation: number,
  request: Request,
  response: Response,
  at: number,
): Observation[] => [invoked(operation, request), { ...returned(operation, response), at }]

/** Entries 1 to 3 put x, y and z, of which y was acknowledged at 10 and z at 20. */
const written = [
  turn('a', { applied: [appliedRequests(1, put('x'), put('y'), put('z'))] }),
  ...done(1, put('y'), ok, 10),
  ...done(2, put('z'), ok, 20),
]

describe('bounded reads', () => {
  it.each<[string, Request, Response]>([
    ['the newest', within, found('z', 30)],
    ['what was acknowledged by then', within, found('y', 15)],
    ['what was acknowledged at that moment, or not', within, found('x', 10)],
    ['nothing, as of a time when there was nothing', within, found(undefined, 0)],
    ['what an entry that it asks for has made', atLeast(2), found('y')],
    ['something newer than it asks for', atLeast(1), found('z')],
    ['something that is no further than it asks for', atLeast(0), found(undefined)],
  ])('pass that see %s', (_, request, response) => {
    expect(judge(boundedReads, [...written, ...done(3, request, response, 40)])).toEqual([])
  })

  it.each<[string, Request, Response]>([
    ['less than was acknowledged by then', within, found('x', 15)],
    ['nothing, when something was acknowledged', within, found(undefined, 15)],
    ['less than they ask for', atLeast(3), found('y')],
    ['nothing, and ask for something', atLeast(1), found(undefined)],
    ['what no state held', atLeast(1), found('w')],
  ])('are caught that see %s', (_, request, response) => {
    const run = [...written, ...done(3, request, response, 40), healed, ended]
    expect(judge(boundedReads, run)).toHaveLength(1)
  })

  it('pass that are ahead of what is known of their server', () => {
    const early = done(3, within, found('w', 15), 40)
    const late = turn('a', { applied: [appliedRequests(4, put('w'))] })
    expect(judge(boundedReads, [...written, ...early, late, healed, ended])).toEqual([])
  })

  it('see what is acknowledged on other keys, and what others have read', () => {
    const other = turn('a', { applied: [appliedRequests(4, put('w'), put('v', 'l'))] })
    const written5 = [...written, other, ...done(3, put('v', 'l'), ok, 30)]
    expect(judge(boundedReads, [...written5, ...done(4, within, found('z', 35), 40)])).toHaveLength(
      1,
    )
    const read = done(3, { type: 'get', key: 'k' }, found('w'), 30)
    const run = [...written, other, ...read, ...done(4, within, found('z', 35), 40)]
    expect(judge(boundedReads, run)).toHaveLength(1)
  })

  it('are no part of what is linearizable', () => {
    const old = done(3, within, found('x', 5), 40)
    const run = [...done(1, put('x'), ok, 1), ...done(2, put('y'), ok, 2), ...old, ended]
    expect(judge(linearizableHistory, run)).toEqual([])
  })
})
