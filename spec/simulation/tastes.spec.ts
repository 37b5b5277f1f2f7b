import { describe, expect, it } from 'vitest'
import type { MakeChecker } from '../../testing/checkers/observation.ts'
import { simulate } from '../../testing/simulation/simulate.ts'
import { drawWitnesses } from '../../testing/simulation/witnesses.ts'

const small = { nodes: 3, duration: 5_000 } as const

describe('a seed', () => {
  it('passes proposals on in some runs', () => {
    const runs = Array.from({ length: 8 }, (_, i) =>
      simulate({ ...small, seed: 300 + i, trace: true }),
    )
    const said = (what: string): number =>
      runs.filter(({ trace }) => trace!.some((line) => line.includes(` ${what}@`))).length
    expect(said('forward')).toBeGreaterThan(1)
    expect(said('forward')).toBeLessThan(runs.length)
    expect(said('forwarded')).toBe(said('forward'))
  })

  it('compares states in some runs, which never differ', () => {
    const runs = Array.from({ length: 8 }, (_, i) =>
      simulate({ ...small, seed: 600 + i, trace: true }),
    )
    expect(runs.flatMap(({ violations }) => violations)).toEqual([])
    const compares = runs.filter(({ trace }) =>
      trace!.some((line) => line.includes(' fingerprint@')),
    )
    expect(compares.length).toBeGreaterThan(1)
    expect(compares.length).toBeLessThan(runs.length)
  })

  it('reads what is old in some runs, and no older than it may be', () => {
    const runs = Array.from({ length: 8 }, (_, i) =>
      simulate({ ...small, seed: 500 + i, trace: true }),
    )
    expect(runs.flatMap(({ violations }) => violations)).toEqual([])
    const asks = (what: string): number =>
      runs.filter(({ trace }) =>
        trace!.some((line) => / get .* /.test(line) && line.includes(what)),
      ).length
    for (const what of [' within ', ' at least ']) {
      expect(asks(what)).toBeGreaterThan(1)
      expect(asks(what)).toBeLessThan(runs.length)
    }
  })

  it('has witnesses in some runs, or as many as it is told to', () => {
    const often = { changes: 300, transfers: 300 }
    const runs = Array.from({ length: 5 }, (_, i) =>
      simulate({ ...small, seed: 400 + i, witnesses: 1, administration: often, trace: true }),
    )
    expect(runs.flatMap(({ violations }) => violations)).toEqual([])
    const told = runs.flatMap(({ trace }) => trace!.filter((line) => line.includes(' hears of ')))
    expect(told.filter((line) => /"witnesses":\["[a-z]"\].*: done$/.test(line))).not.toEqual([])
    expect(told.filter((line) => line.endsWith(': witness'))).not.toEqual([])
    expect(told.filter((line) => line.endsWith(': full'))).not.toEqual([])
    const drawn = Array.from({ length: 12 }, (_, i) => drawWitnesses(i, ['a', 'b', 'c'], ['d']))
    expect(drawn.some((ids) => ids.size === 0) && drawn.some((ids) => ids.size > 0)).toBe(true)
    expect(drawWitnesses(1, ['a', 'b', 'c'], ['d'], 0).size).toBe(0)
  })

  it('never loses the disk of a full server where a witness may be the only other that has its entries', () => {
    const wipedIn = (witnesses: number): Set<string> => {
      const wiped = new Set<string>()
      const note: MakeChecker = () => ({
        name: 'wiped',
        observe: (seen) => {
          if (seen.type === 'wiped') wiped.add(seen.id)
        },
      })
      for (const seed of [1, 2, 3, 4, 5, 6]) {
        const faults = { kinds: ['wipeDisk'], every: 300 } as const
        const none = { changes: Infinity, transfers: Infinity }
        const given = { nodes: 5, duration: 3_000, seed, spares: 0, witnesses, faults }
        wiped.clear()
        simulate({ ...given, administration: none, checkers: [note] })
        const allowed = drawWitnesses(seed, ['a', 'b', 'c', 'd', 'e'], [], witnesses)
        for (const id of wiped) if (allowed.has(id)) wiped.delete(id)
        if (wiped.size > 0) break
      }
      return wiped
    }
    expect(wipedIn(0).size).toBeGreaterThan(0)
    expect([...wipedIn(1)]).toEqual([])
  })
})
