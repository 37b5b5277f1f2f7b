import { map } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { Diverged } from '../../lib/errors.ts'
import type { Machine } from '../../operators/machine.ts'
import { marbles } from '../operators/support.ts'
import { journal, sets, three, write } from './support.ts'

/** A journal whose apply is not the same on every server: the last one to write `x` down writes `y`. */
function careless(): Machine<string, string, string, 'all', string> {
  let times = 0
  return {
    ...journal,
    apply: (written, word) => {
      const all = written + (word === 'x' && ++times === 3 ? 'y' : word)
      return [all, all]
    },
    fingerprint: (written) => written || '-',
  }
}

/** A word every few milliseconds; who leads, and who stops by itself, and with what. */
function expectFailures(
  machine: Machine<string, string, string, 'all', string>,
  failures: string,
  fingerprintEntries: number,
): Diverged[] {
  const errors: Diverged[] = []
  marbles(({ hot, expectObservable }, scheduler) => {
    const toA = '    -----------s-x-t-u-v-w-p-q-r-----------------------------------------------'
    const end = '    --------------------------------------------------------------------------|'
    const leads = '  n---------a---------------------------------------------------------------|'
    const servers = three(scheduler, { machine, fingerprintEntries })
    const stopped$ = servers.failures$.pipe(
      map(({ id, error }) => {
        errors.push(error as Diverged)
        return id
      }),
    )
    expectObservable(servers.leaders$).toBe(leads, sets)
    expectObservable(stopped$).toBe(failures)
    write(servers, 'a', hot(toA))
    servers.connect(hot(end))
  })
  return errors
}

describe('a machine that is not deterministic', () => {
  it('stops the server that differs from its leader, and the others go on [F9]', () => {
    const stops = '  -----------------------------------------------------c--------------------|'
    const [error, ...others] = expectFailures(careless(), stops, 4)
    expect(others).toEqual([])
    expect(error).toBeInstanceOf(Diverged)
    expect(error).toMatchObject({ leader: 'a', code: 'diverged', index: 8 })
    expect([error?.own, error?.expected]).toEqual(['syt', 'sxt'].map((it) => it + 'uvwp'))
  })

  it('is not noticed before the servers have compared', () => {
    const stops = '  --------------------------------------------------------------------------|'
    expect(expectFailures(careless(), stops, 1024)).toEqual([])
  })
})

it('a machine that is deterministic stops nobody', () => {
  const stops = '    --------------------------------------------------------------------------|'
  const machine = { ...journal, fingerprint: (written: string) => written || '-' }
  expect(expectFailures(machine, stops, 1)).toEqual([])
})
