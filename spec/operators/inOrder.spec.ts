import { EMPTY, Subject, timer } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { ConfigError, Overloaded } from '../../lib/errors.ts'
import { inOrder, type InOrderOptions, type Slot } from '../../operators/inOrder.ts'
import { marbles, uncaughtDuring } from './support.ts'

type Begin<T> = (slot: Slot<T, T>) => void

const working = <T>(begin: Begin<T>, options?: InOrderOptions) =>
  inOrder<T, T>(() => ({ begin }), options)

/** Work that takes the given number of ms for each value, and answers in capitals. */
const taking = (times: Readonly<Record<string, number>>, options?: InOrderOptions) =>
  inOrder<string, string>(
    (subscriber) => ({
      begin: (slot) => {
        const done = timer(times[slot.value] ?? 0).subscribe(() =>
          slot.applied(slot.value.toUpperCase()),
        )
        subscriber.add(done)
      },
    }),
    options,
  )

describe('inOrder', () => {
  it('emits the results in the order of the values', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('-a-b-c------|')
      const whole = '     ^-----------!'
      const result = '    -------(AB)C|'
      expectObservable(taking({ a: 6, b: 2, c: 6 })(source)).toBe(result)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('completes when the source has completed and every result is out', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('-a-b|')
      const result = '    --------(AB|)'
      expectObservable(taking({ a: 7, b: 2 })(source)).toBe(result)
      expectObservable(taking({})(EMPTY)).toBe('|')
    })
  })

  it('works on no more than `concurrency` values at once', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('(abc)-----------|')
      const one = '       ----A---B---C---|'
      const two = '       ----(AB)C-------|'
      const three = '     ----(ABC)-------|'
      const times = { a: 4, b: 4, c: 4 }
      expectObservable(taking(times, { concurrency: 1 })(source)).toBe(one)
      expectObservable(taking(times, { concurrency: 2 })(source)).toBe(two)
      expectObservable(taking(times, { concurrency: 3 })(source)).toBe(three)
    })
  })

  it('errors when a piece of work does, and tears down the rest', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('-a-b-----')
      const slow$ = cold('---------')
      const whole = '     ^---!'
      const a = '         -^--!'
      const result = '    ----#'
      const work = inOrder<string, string>((subscriber) => ({
        begin: (slot) => {
          if (slot.value === 'a') subscriber.add(slow$.subscribe())
          else timer(1).subscribe(() => slot.failed('error'))
        },
      }))
      expectObservable(work(source)).toBe(result)
      expectSubscriptions(source.subscriptions).toBe(whole)
      expectSubscriptions(slow$.subscriptions).toBe(a)
    })
  })

  it('goes on when the work takes care of its failure: the value keeps its place', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('-a-b-----|')
      const result = '    ----(ab)-|'
      const work = inOrder<string, string>(() => ({
        begin: (slot) => {
          if (slot.value === 'a') slot.failed('not yet')
          else slot.applied(slot.value)
        },
        recover: (slot) => {
          timer(3).subscribe(() => slot.applied(slot.value))
          return true
        },
      }))
      expectObservable(work(source)).toBe(result)
    })
  })

  it('errors with its source', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('-a-b-#')
      const result = '    ---A-#'
      expectObservable(taking({ a: 2, b: 9 })(source)).toBe(result)
    })
  })

  it('tears down what is in flight when it is unsubscribed', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('-a-b------')
      const slow$ = cold('---------')
      const until = '     ^----!'
      const both = ['     -^---!', '   ---^-!']
      const work = inOrder<string, string>((subscriber) => ({
        begin: () => subscriber.add(slow$.subscribe()),
      }))
      expectObservable(work(source), until).toBe('----------')
      expectSubscriptions(source.subscriptions).toBe(until)
      expectSubscriptions(slow$.subscriptions).toBe(both)
    })
  })

  it('can be used again: nothing happens before a subscription', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('-a-|')
      const worked$ = taking({ a: 1 })(source)
      expectObservable(worked$, '^--').toBe('--A|')
      expectObservable(worked$, '--^').toBe('----A|')
    })
  })

  it('refuses bounds that cannot be', () => {
    for (const bad of [0, -1, NaN]) {
      expect(() => taking({}, { concurrency: bad })).toThrow(ConfigError)
      expect(() => taking({}, { buffer: bad })).toThrow(`buffer is ${bad}: it should be at least 1`)
    }
  })
})

describe('a source faster than the work', () => {
  it('waits, when it pushes, up to `buffer` values; beyond them the result errors', () => {
    const input$ = new Subject<number>()
    const taken: number[] = []
    let error: unknown
    const work = working<number>(({ value }) => taken.push(value), { concurrency: 2, buffer: 3 })
    work(input$).subscribe({ error: (thrown: unknown) => (error = thrown) })
    for (let n = 0; n < 5; n++) input$.next(n)
    expect(taken).toEqual([0, 1])
    expect(error).toBeUndefined()
    input$.next(5)
    expect(error).toBeInstanceOf(Overloaded)
    expect(input$.observed).toBe(false)
  })

  it('is read no faster than the results leave, when it can be pulled', () => {
    let read = 0
    function* numbers(): Generator<number> {
      for (;;) yield read++
    }
    const slots: Slot<number, number>[] = []
    const results: number[] = []
    const finish = (n: number): void => slots[n]!.applied(n)
    const work = working<number>((slot) => slots.push(slot), { concurrency: 2 })
    work(numbers()).subscribe((n) => results.push(n))
    expect(read).toBe(2)
    finish(0)
    expect(read).toBe(3)
    expect(results).toEqual([0])
    finish(2)
    expect(read).toBe(3)
    finish(1)
    expect(read).toBe(5)
    expect(results).toEqual([0, 1, 2])
  })

  it('may be 100,000 values that are worked on at once, without growing the stack', () => {
    let last: unknown
    const work = working<number>((slot) => slot.applied(slot.value))
    work(Array.from({ length: 100_000 }, (_, i) => i)).subscribe({
      next: (n) => (last = n),
      error: (thrown: unknown) => (last = thrown),
    })
    expect(last).toBe(99_999)
  })
})

describe('work that throws', () => {
  const throwing = working<string>(() => {
    throw new TypeError('cannot be encoded')
  })

  it('errors the result, when the value was pulled', () => {
    let error: unknown
    throwing(['a']).subscribe({ error: (thrown: unknown) => (error = thrown) })
    expect(error).toEqual(new TypeError('cannot be encoded'))
  })

  it('errors the result also when the value was pushed', async () => {
    const input$ = new Subject<string>()
    let error: unknown
    const uncaught = await uncaughtDuring(() => {
      throwing(input$).subscribe({ error: (thrown: unknown) => (error = thrown) })
      input$.next('a')
    })
    expect(error).toEqual(new TypeError('cannot be encoded'))
    expect(uncaught).toEqual([])
  })
})
