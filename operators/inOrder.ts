import { Observable, type ObservableInput } from 'rxjs'
import { ConfigError } from '../lib/errors.ts'
import { pull } from './pull.ts'

export interface InOrderOptions {
  /** How many may be in flight at once, at least 1. Default 1024. */
  readonly concurrency?: number
  /** How many values of a source that cannot be slowed may wait. Default 65,536. */
  readonly buffer?: number
}

/** Begins work on a value. Exactly one of the two callbacks is called, once; returns how to give up. */
export type Work<T, U> = (
  value: T,
  done: (result: U) => void,
  fail: (error: unknown) => void,
) => (() => void) | void

/** An operator that takes whatever RxJS takes as a stream. */
export type InputOperator<T, U> = (source: ObservableInput<T>) => Observable<U>

interface Slot<U> {
  result: U | undefined
  isDone: boolean
  giveUp: (() => void) | void
}

/**
 * Works on many values at once and emits the results in the order of the values. Iterables, also
 * asynchronous ones, are read no faster than the results leave. An Observable cannot be slowed: its
 * values wait, and beyond `buffer` of them the result errors with `Overloaded`.
 *
 * ```
 * source            -a-b-c------|
 * work              a takes 6, b 2, c 3
 * inOrder(work)     -------(ab)c|
 * ```
 */
export function inOrder<T, U>(
  work: Work<T, U>,
  { concurrency = 1024, buffer = 65_536 }: InOrderOptions = {},
): InputOperator<T, U> {
  if (!(concurrency >= 1)) throw new ConfigError('concurrency', concurrency, 'at least 1')
  if (!(buffer >= 1)) throw new ConfigError('buffer', buffer, 'at least 1')
  return (source) =>
    new Observable<U>((subscriber) => {
      const slots: Slot<U>[] = []
      let isEmitting = false
      let isExhausted = false
      const values = pull(source, buffer, {
        wake: () => fill(),
        end: () => {
          isExhausted = true
          finishWhenDone()
        },
        fail: (error) => subscriber.error(error),
      })

      const finishWhenDone = (): void => {
        if (isExhausted && slots.length === 0) subscriber.complete()
      }
      const start = (value: T): void => {
        const slot: Slot<U> = { result: undefined, isDone: false, giveUp: undefined }
        slots.push(slot)
        const done = (result: U): void => {
          slot.result = result
          slot.isDone = true
          if (slots[0] === slot) emit()
        }
        slot.giveUp = work(value, done, (error) => subscriber.error(error))
      }
      const fill = (): void => {
        while (slots.length < concurrency && !isExhausted && !subscriber.closed) {
          const taken = values.take()
          if (taken === undefined) return
          start(taken.value)
        }
      }
      const emit = (): void => {
        if (isEmitting) return
        isEmitting = true
        while (slots[0]?.isDone === true && !subscriber.closed) {
          const slot = slots.shift()!
          subscriber.next(slot.result as U)
        }
        isEmitting = false
        fill()
        finishWhenDone()
      }

      subscriber.add(() => {
        values.stop()
        for (const slot of slots) slot.giveUp?.()
      })
      values.start()
    })
}
