import { Observable, type ObservableInput, type Subscriber } from 'rxjs'
import { ConfigError } from '../lib/errors.ts'
import { Fifo } from './fifo.ts'
import { pull, type Pull } from './pull.ts'

export interface InOrderOptions {
  /** How many may be in flight at once, at least 1. Default 1024. */
  readonly concurrency?: number
  /** How many values of a source that cannot be slowed may wait. Default 65,536. */
  readonly buffer?: number
}

/** An operator that takes whatever RxJS takes as a stream. */
export type InputOperator<T, U> = (source: ObservableInput<T>) => Observable<U>

/** A value at work. Whoever works on it calls exactly one of its methods, once. */
export interface Slot<T, U> {
  readonly value: T
  applied(result: U): void
  failed(error: unknown): void
}

/** What is done with each value. */
export interface Work<T, U> {
  begin(slot: Slot<T, U>): void
  /** Whether the failure is taken care of: the value stays in its place, to be begun again. */
  recover?(slot: Slot<T, U>, error: unknown): boolean
}

/**
 * Works on many values at once and emits the results in the order of the values. Iterables, also
 * asynchronous ones, are read no faster than the results leave. An Observable cannot be slowed: its
 * values wait, and beyond `buffer` of them the result errors with `Overloaded`.
 *
 * ```
 * source            -a-b-c------|
 * work              a takes 6, b 2, c 6
 * inOrder(work)     -------(ab)c|
 * ```
 *
 * `work` is called for each subscription, with what errors the result and what is added to its teardown.
 */
export function inOrder<T, U>(
  work: (subscriber: Subscriber<U>) => Work<T, U>,
  { concurrency = 1024, buffer = 65_536 }: InOrderOptions = {},
): InputOperator<T, U> {
  if (!(concurrency >= 1)) throw new ConfigError('concurrency', concurrency, 'at least 1')
  if (!(buffer >= 1)) throw new ConfigError('buffer', buffer, 'at least 1')
  return (source) =>
    new Observable<U>((subscriber) => {
      const line = new Line(subscriber, work(subscriber), concurrency)
      const values = pull(source, buffer, line)
      subscriber.add(() => values.stop())
      line.open(values)
    })
}

/** The values at work, in their order. */
class Line<T, U> {
  readonly #slots = new Fifo<OrderedSlot<T, U>>()
  #values: Pull<T> | undefined
  #isBusy = false
  #isExhausted = false

  constructor(
    private readonly subscriber: Subscriber<U>,
    private readonly work: Work<T, U>,
    private readonly concurrency: number,
  ) {}

  open(values: Pull<T>): void {
    this.#values = values
    values.start()
  }

  /**
   * Emits what is done and begins what there is room for, until there is neither: in one loop, because
   * both may happen synchronously within each other.
   */
  wake(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    while (this.#emit() || this.#begin());
    this.#isBusy = false
    this.#completeWhenDone()
  }

  end(): void {
    this.#isExhausted = true
    this.#completeWhenDone()
  }

  fail(error: unknown): void {
    this.subscriber.error(error)
  }

  failed(slot: OrderedSlot<T, U>, error: unknown): void {
    if (this.work.recover?.(slot, error) !== true) this.fail(error)
  }

  done(slot: OrderedSlot<T, U>): void {
    if (this.#slots.first === slot) this.wake()
  }

  /** Whether the first result was there to emit. */
  #emit(): boolean {
    if (this.#slots.first?.isDone !== true || this.subscriber.closed) return false
    this.subscriber.next(this.#slots.shift()!.result as U)
    return true
  }

  /** Whether there was room, and a value to begin. */
  #begin(): boolean {
    if (this.#slots.length >= this.concurrency || this.#isExhausted || this.subscriber.closed) {
      return false
    }
    const taken = this.#values?.take()
    if (taken === undefined) return false
    const slot = new OrderedSlot<T, U>(taken.value, this)
    this.#slots.push(slot)
    try {
      this.work.begin(slot)
    } catch (error) {
      this.fail(error)
    }
    return true
  }

  #completeWhenDone(): void {
    if (this.#isExhausted && this.#slots.length === 0 && !this.#isBusy) this.subscriber.complete()
  }
}

class OrderedSlot<T, U> implements Slot<T, U> {
  result: U | undefined
  isDone = false

  constructor(
    readonly value: T,
    private readonly line: Line<T, U>,
  ) {}

  applied(result: U): void {
    this.result = result
    this.isDone = true
    this.line.done(this)
  }

  failed(error: unknown): void {
    this.line.failed(this, error)
  }
}
