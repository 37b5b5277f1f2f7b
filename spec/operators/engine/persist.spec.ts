import { concatMap, delay, filter, map, merge, mergeMap, NEVER, of, throwError, timer } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { DiskRequest, Restored, Save, Saved } from '../../../lib/storage.ts'
import type { Storage } from '../../../operators/adapters.ts'
import { persist } from '../../../operators/engine/persist.ts'
import { marbles, stepWith } from '../support.ts'

const save = (sequence: number): Save => ({
  type: 'save',
  sequence,
  term: 1,
  vote: undefined,
  batches: [],
})

const restored: Restored = { type: 'restored', term: 0, vote: undefined, batches: [] }

/** A disk that opens in 2 ms and takes the given number of ms for each save. */
const disk =
  (...times: number[]): Storage =>
  (saves) =>
    merge(
      of(restored).pipe(delay(2)),
      saves.pipe(
        filter((request) => request.type === 'save'),
        concatMap(({ sequence, term }) =>
          timer(times[sequence - 1] ?? 0).pipe(
            map((): Saved => ({ type: 'saved', sequence, term })),
          ),
        ),
      ),
    )

const steps = { s: stepWith({ save: save(1) }), t: stepWith(), u: stepWith({ save: save(2) }) }
const restoredAt = (at: number) => ({ ...restored, at })
const savedAt = (sequence: number, at: number) => ({ type: 'saved', sequence, term: 1, at })

describe('persist', () => {
  it('turns steps into what is now on disk', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const source = hot('--------s---t---u-----', steps)
      const whole = '     ^---------------------'
      const result = '    --R-------s---------u-'
      const facts = { R: restoredAt(2), s: savedAt(1, 10), u: savedAt(2, 20) }
      expectObservable(source.pipe(persist(disk(2, 4), scheduler))).toBe(result, facts)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('gives the storage what is saved and nothing else', () => {
    const given: DiskRequest[] = []
    const storage: Storage = (saves) => {
      saves.subscribe((it) => given.push(it))
      return NEVER
    }
    marbles(({ hot }) => hot('s-t-u', steps).pipe(persist(storage)).subscribe())
    expect(given).toEqual([save(1), save(2)])
  })

  it('completes when everything after the last step is acknowledged', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const source = hot('---s---u|', steps)
      const result = '    --R-s----(u|)'
      const facts = { R: restoredAt(2), s: savedAt(1, 4), u: savedAt(2, 9) }
      expectObservable(source.pipe(persist(disk(1, 2), scheduler))).toBe(result, facts)
    })
  })

  it('errors when the storage does, and lets go of the steps', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const source = hot('---s-----', steps)
      const whole = '     ^----!'
      const result = '    --R--#'
      const broken: Storage = (saves) =>
        merge(
          of(restored).pipe(delay(2)),
          saves.pipe(
            delay(2),
            mergeMap(() => throwError(() => new Error('disk'))),
          ),
        )
      const facts = { R: restoredAt(2) }
      const error = new Error('disk')
      expectObservable(source.pipe(persist(broken, scheduler))).toBe(result, facts, error)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('closes the storage when it is unsubscribed', () => {
    marbles(({ hot, cold, expectSubscriptions }) => {
      const source = hot('---------', steps)
      const file$ = cold('---------')
      const subscriber = '^----!'
      const storage: Storage = () => file$.pipe(map(() => restored))
      const running = source.pipe(persist(storage)).subscribe()
      timer(5).subscribe(() => running.unsubscribe())
      expectSubscriptions(file$.subscriptions).toBe(subscriber)
    })
  })
})
