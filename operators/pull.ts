import { from, type ObservableInput, type Subscription } from 'rxjs'
import { Overloaded } from '../lib/errors.ts'
import { Fifo } from './fifo.ts'

/** A source read at the reader's pace. */
export interface Pull<T> {
  /** Begins. Values may be taken from now on. */
  start(): void
  /** The next value, or none for now: `wake` tells when to try again. */
  take(): { readonly value: T } | undefined
  stop(): void
}

export interface Listener {
  /** There may be values to take. */
  wake(): void
  /** Every value has been taken, and no more will come. */
  end(): void
  fail(error: unknown): void
}

/**
 * Reads any source: an iterable value by value, an asynchronous one with one request ahead, and whatever
 * pushes through a queue of at most `buffer` values, beyond which it fails with `Overloaded`.
 */
export function pull<T>(source: ObservableInput<T>, buffer: number, listener: Listener): Pull<T> {
  if (isIterable<T>(source)) return pullIterable(source, listener)
  if (isAsyncIterable<T>(source)) return pullAsync(source, listener)
  return pullPushed(source, buffer, listener)
}

const isIterable = <T>(source: unknown): source is Iterable<T> =>
  typeof (source as Partial<Iterable<T>> | null)?.[Symbol.iterator] === 'function'

const isAsyncIterable = <T>(source: unknown): source is AsyncIterable<T> =>
  typeof (source as Partial<AsyncIterable<T>> | null)?.[Symbol.asyncIterator] === 'function'

function pullIterable<T>(source: Iterable<T>, listener: Listener): Pull<T> {
  let iterator: Iterator<T> | undefined
  return {
    start: () => {
      iterator = source[Symbol.iterator]()
      listener.wake()
    },
    take: () => {
      try {
        const result = iterator?.next()
        if (result === undefined) return undefined
        if (result.done !== true) return result
        iterator = undefined
        listener.end()
      } catch (error) {
        listener.fail(error)
      }
      return undefined
    },
    stop: () => {
      iterator?.return?.()
      iterator = undefined
    },
  }
}

function pullAsync<T>(source: AsyncIterable<T>, listener: Listener): Pull<T> {
  let iterator: AsyncIterator<T> | undefined
  let ready: { readonly value: T } | undefined
  let isAsking = false
  const ask = (): void => {
    if (iterator === undefined || isAsking) return
    isAsking = true
    iterator.next().then(
      (result) => {
        isAsking = false
        if (iterator === undefined) return
        if (result.done === true) {
          iterator = undefined
          return listener.end()
        }
        ready = result
        listener.wake()
      },
      (error: unknown) => listener.fail(error),
    )
  }
  return {
    start: () => {
      iterator = source[Symbol.asyncIterator]()
      ask()
    },
    take: () => {
      const taken = ready
      ready = undefined
      if (taken !== undefined) ask()
      return taken
    },
    stop: () => {
      void iterator?.return?.()
      iterator = undefined
    },
  }
}

function pullPushed<T>(source: ObservableInput<T>, buffer: number, listener: Listener): Pull<T> {
  const queue = new Fifo<T>()
  let isComplete = false
  let subscription: Subscription | undefined
  return {
    start: () => {
      subscription = from(source).subscribe({
        next: (value) => {
          queue.push(value)
          if (queue.length > buffer) listener.fail(new Overloaded(`${buffer} values wait already`))
          else listener.wake()
        },
        error: (error: unknown) => listener.fail(error),
        complete: () => {
          isComplete = true
          if (queue.length === 0) listener.end()
        },
      })
    },
    take: () => {
      if (queue.length === 0) return undefined
      const value = queue.shift()!
      if (isComplete && queue.length === 0) listener.end()
      return { value }
    },
    stop: () => subscription?.unsubscribe(),
  }
}
