import { Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { alarm } from '../../../operators/engine/alarm.ts'
import { HandClock, marbles } from '../support.ts'

describe('alarm', () => {
  it('rings when the deadline that the latest value sets has passed', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const source = hot('a---b-----------|')
      const whole = '     ^---------------!'
      const result = '    ---------x------|'
      const ahead = alarm(() => scheduler.now() + 5, scheduler)
      expectObservable(source.pipe(ahead)).toBe(result, { x: 9 })
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('rings once for a deadline, and again only after another value', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const source = hot('a-----------b-------|')
      const result = '    -----x-----------y--|'
      const ahead = alarm(() => scheduler.now() + 5, scheduler)
      expectObservable(source.pipe(ahead)).toBe(result, { x: 5, y: 17 })
    })
  })

  it('rings earlier when the deadline moves forward', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const source = hot<number>('a--b------------|', { a: 12, b: 5 })
      const result = '            -----x----------|'
      expectObservable(source.pipe(alarm((due) => due, scheduler))).toBe(result, { x: 5 })
    })
  })

  it('does not ring when the latest value sets no deadline', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const source = hot<number | undefined>('a--b------c-----|', { a: 5, b: undefined, c: 12 })
      const result = '                        ------------x---|'
      expectObservable(source.pipe(alarm((due) => due, scheduler))).toBe(result, { x: 12 })
    })
  })

  it('rings at once for a deadline that has just passed', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const source = hot('---a---|')
      const result = '    ---x---|'
      expectObservable(source.pipe(alarm(() => 1, scheduler))).toBe(result, { x: 3 })
    })
  })

  it('errors with its source, and rings no more', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const source = hot('a--#')
      const whole = '     ^--!'
      const result = '    ---#'
      expectObservable(source.pipe(alarm(() => 5, scheduler))).toBe(result)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('rings no more once it is unsubscribed', () => {
    const clock = new HandClock()
    const input$ = new Subject<void>()
    const rung: number[] = []
    const running = input$.pipe(alarm(() => 5, clock)).subscribe((at) => rung.push(at))
    input$.next()
    running.unsubscribe()
    expect(clock.pending).toBe(0)
    clock.run(20)
    expect(rung).toEqual([])
  })
})

describe('the timer of an alarm', () => {
  function ringing(deadline: (value: number) => number | undefined) {
    const clock = new HandClock()
    const input$ = new Subject<number>()
    const rung: number[] = []
    input$.pipe(alarm(deadline, clock)).subscribe((at) => rung.push(at))
    return { clock, source$: input$, rung }
  }

  it('is armed once for a thousand values that put the deadline off', () => {
    const { clock, source$, rung } = ringing((at) => at + 100)
    for (let i = 0; i < 1000; i++) source$.next(i / 100)
    expect(clock.calls).toBe(1)
    clock.run(109)
    expect(rung).toEqual([])
    expect(clock.calls).toBe(2)
    clock.run(200)
    expect(rung).toEqual([110])
    expect(clock.calls).toBe(2)
  })

  it('wakes an idle process once in each deadline', () => {
    const { clock, source$, rung } = ringing((at) => at + 100)
    for (let at = 0; at < 1000; at += 10) {
      clock.run(at)
      source$.next(at)
    }
    expect(rung).toEqual([])
    expect(clock.calls).toBeLessThanOrEqual(12)
  })

  it('is one: an earlier deadline replaces it', () => {
    const { clock, source$, rung } = ringing((due) => due)
    source$.next(50)
    source$.next(20)
    expect(clock.pending).toBe(1)
    clock.run(60)
    expect(rung).toEqual([20])
  })

  it('waits for whole milliseconds, and never less than the deadline', () => {
    const { clock, source$, rung } = ringing((due) => due)
    source$.next(20.3)
    clock.run(20)
    expect(rung).toEqual([])
    clock.run(21)
    expect(rung).toEqual([21])
  })

  it('looks a second time after a stall, when the mail may move the deadline [F8]', () => {
    const { clock, source$, rung } = ringing((due) => due)
    source$.next(20)
    clock.stall(500)
    expect(rung).toEqual([])
    source$.next(520)
    clock.run(519)
    expect(rung).toEqual([])
    clock.run(520)
    expect(rung).toEqual([520])
  })

  it('rings after the second look when the mail brought nothing [F8]', () => {
    const { clock, source$, rung } = ringing((due) => due)
    source$.next(20)
    clock.stall(500)
    clock.run(501)
    expect(rung).toEqual([501])
  })

  it('rings after a stall also when values that move nothing keep arriving [F8]', () => {
    const { clock, source$, rung } = ringing((due) => due)
    source$.next(20)
    clock.stall(500)
    for (let at = 500; at < 600; at += 0.5) {
      clock.run(at)
      source$.next(20)
    }
    expect(rung).not.toEqual([])
  })
})
