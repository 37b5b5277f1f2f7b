import {
  delay,
  endWith,
  filter,
  ignoreElements,
  map,
  mergeMap,
  Observable,
  queueScheduler,
  startWith,
  Subject,
  Subscription,
  takeUntil,
  tap,
  timer,
  type OperatorFunction,
} from 'rxjs'
import { describe, expect, it } from 'vitest'
import { loop } from '../../../operators/engine/loop.ts'
import { marbles } from '../support.ts'

/** A step is the events of its batch, joined. */
const joined = map((events: readonly string[]) => events.join(''))

/** Raises events at every step that is `step`, at once. */
const at =
  (step: string, ...events: string[]): OperatorFunction<string, string> =>
  (steps) =>
    steps.pipe(
      filter((seen) => seen === step),
      mergeMap(() => events),
    )

describe('loop', () => {
  it('reduces what arrives in one turn as one batch', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('--(ab)--c---|')
      const whole = '     ^-----------!'
      const result = '    --x-----c---|'
      expectObservable(source.pipe(loop(joined, []))).toBe(result, { x: 'ab', c: 'c' })
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('turns steps back into events, which wait until the step is delivered', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('--a---b-----|')
      const result = '    --(ac)b-----|'
      expectObservable(source.pipe(loop(joined, [at('a', 'c')]))).toBe(result)
    })
  })

  it('lets an event that is in no hurry wait for another one', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('--z-a-z-z-b-z|')
      const result = '    --z-a-----b--|'
      const steps = { z: 'z', a: 'a', b: 'zzb' }
      const isUnhurried = (event: string, latest: string) => event === 'z' && latest !== ''
      expectObservable(source.pipe(loop(joined, [], isUnhurried))).toBe(result, steps)
    })
  })

  it('lets a feedback take its time', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('--a---b-----|')
      const result = '    --a--cb-----|'
      const slow: OperatorFunction<string, string> = (steps) => steps.pipe(at('a', 'c'), delay(3))
      expectObservable(source.pipe(loop(joined, [slow]))).toBe(result)
    })
  })

  it('keeps the order in which events are raised, also by several feedbacks at once', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('--a---------|')
      const result = '    --(axy)-----|'
      const feedbacks = [at('a', 'b', 'c'), at('a', 'd'), at('bcd', 'e')]
      const steps = { a: 'a', x: 'bcd', y: 'e' }
      expectObservable(source.pipe(loop(joined, feedbacks))).toBe(result, steps)
    })
  })

  it('delivers one step to everybody, the subscriber last, before the next', () => {
    const seen: string[] = []
    const see = (who: string) => tap((step: string) => seen.push(`${who}:${step}`))
    marbles(({ hot }) => {
      const first: OperatorFunction<string, string> = (steps) =>
        steps.pipe(see('first'), at('a', 'b'))
      const second: OperatorFunction<string, string> = (steps) =>
        steps.pipe(see('second'), at('b', 'c'))
      hot('-a-|')
        .pipe(loop(joined, [first, second]), see('subscriber'))
        .subscribe()
    })
    expect(seen).toEqual([
      ...['first:a', 'second:a', 'subscriber:a'],
      ...['first:b', 'second:b', 'subscriber:b'],
      ...['first:c', 'second:c', 'subscriber:c'],
    ])
  })

  /** A feedback that speaks the moment it is subscribed to, and one connected after it that listens. */
  const early: OperatorFunction<string, string> = (steps) =>
    steps.pipe(ignoreElements(), startWith('a'))

  it('moves nothing until every wire is connected', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('------------|')
      const result = '    (ac)--------|'
      expectObservable(source.pipe(loop(joined, [early, at('a', 'c')]))).toBe(result)
    })
  })

  it('moves nothing until then on a scheduler that runs at once either', () => {
    const seen: string[] = []
    const input$ = new Subject<string>()
    const running = input$
      .pipe(loop(joined, [early, at('a', 'c')], undefined, queueScheduler))
      .subscribe((step) => seen.push(step))
    input$.next('b')
    running.unsubscribe()
    expect(seen).toEqual(['a', 'c', 'b'])
  })

  it('ends a feedback that completes, and no other', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('  --a---a-----|')
      const silence$ = hot('----x')
      const result = '      --(ac)a-----|'
      const unheard = '     ^---!'
      const brief: OperatorFunction<string, string> = (steps) =>
        steps.pipe(at('a', 'c'), takeUntil(silence$))
      expectObservable(source.pipe(loop(joined, [brief]))).toBe(result)
      expectSubscriptions(silence$.subscriptions).toBe(unheard)
    })
  })
})

describe('the end of a loop', () => {
  /** A feedback whose inner work is visible: subscribed with the loop, and ended with it. */
  const working =
    (work$: Observable<string>): OperatorFunction<string, string> =>
    (steps) =>
      new Observable((subscriber) => {
        subscriber.add(steps.pipe(ignoreElements()).subscribe(subscriber))
        subscriber.add(work$.subscribe(subscriber))
      })

  it('comes with the end of its source, and ends everything inside', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('--a---|')
      const work$ = cold('----------')
      const whole = '     ^-----!'
      const result = '    --a---|'
      expectObservable(source.pipe(loop(joined, [working(work$)]))).toBe(result)
      expectSubscriptions(work$.subscriptions).toBe(whole)
    })
  })

  it('comes with an error of its source', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('--a---#')
      const work$ = cold('----------')
      const whole = '     ^-----!'
      const result = '    --a---#'
      expectObservable(source.pipe(loop(joined, [working(work$)]))).toBe(result)
      expectSubscriptions(work$.subscriptions).toBe(whole)
    })
  })

  it('comes with an error of a feedback', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('--a-------')
      const work$ = cold('------#')
      const whole = '     ^-----!'
      const result = '    --a---#'
      expectObservable(source.pipe(loop(joined, [working(work$)]))).toBe(result)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('comes with an error of its body', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('--a---b---')
      const work$ = cold('----------')
      const whole = '     ^-----!'
      const result = '    --a---#'
      const body = map((events: readonly string[]) => {
        if (events.includes('b')) throw new Error('broken')
        return events.join('')
      })
      const looped$ = source.pipe(loop(body, [working(work$)]))
      expectObservable(looped$).toBe(result, undefined, new Error('broken'))
      expectSubscriptions(source.subscriptions).toBe(whole)
      expectSubscriptions(work$.subscriptions).toBe(whole)
    })
  })

  it('comes with the end of its body', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('--a---b---')
      const whole = '     ^---!'
      const result = '    --a-|'
      const body: OperatorFunction<readonly string[], string> = (batches) =>
        batches.pipe(joined, takeUntil(timer(4)))
      expectObservable(source.pipe(loop(body, []))).toBe(result)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('comes at once when somebody unsubscribes in the middle of a step', () => {
    const seen: string[] = []
    marbles(({ hot, expectSubscriptions }) => {
      const source = hot('--a---b---')
      const stopped = '   ^-!'
      const running = new Subscription()
      const stopping: OperatorFunction<string, string> = (steps) =>
        steps.pipe(
          tap((step) => {
            seen.push(`stopping:${step}`)
            running.unsubscribe()
          }),
          endWith('never'),
        )
      const after: OperatorFunction<string, string> = (steps) =>
        steps.pipe(tap((step) => seen.push(`after:${step}`)))
      running.add(
        source
          .pipe(loop(joined, [at('a', 'c'), stopping, after]))
          .subscribe((step) => seen.push(`subscriber:${step}`)),
      )
      expectSubscriptions(source.subscriptions).toBe(stopped)
    })
    expect(seen).toEqual(['stopping:a'])
  })
})

describe('the queue of a loop', () => {
  it('takes 100,000 events, each raised by the step before, without growing the stack', () => {
    let last = 0
    marbles(({ cold }) => {
      const count = map((events: readonly number[]) => events.at(-1)!)
      const next: OperatorFunction<number, number> = (steps) =>
        steps.pipe(
          filter((n) => n < 100_000),
          map((n) => n + 1),
        )
      cold('n-|', { n: 1 })
        .pipe(loop(count, [next]))
        .subscribe((n) => (last = n))
    })
    expect(last).toBe(100_000)
  })

  it('is its own for each subscription: the operator can be used again', () => {
    marbles(({ cold, expectObservable }) => {
      const looped$ = cold('-a---|').pipe(loop(joined, [at('a', 'c')]))
      const first = '       ^-----!'
      const second = '      --^----'
      expectObservable(looped$, first).toBe('-(ac)|')
      expectObservable(looped$, second).toBe('---(ac)|')
    })
  })
})
