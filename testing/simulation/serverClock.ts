import type { SchedulerAction, SchedulerLike, Subscription } from 'rxjs'
import type { Millis } from '../../lib/types.ts'
import type { VirtualClock } from './clock.ts'
import type { Task } from './heap.ts'
import { scheduleOn } from './scheduleOn.ts'

/** What comes to a server from outside. */
interface Mail {
  readonly run: () => void
  /** The server died before it could read it. */
  readonly lost: (() => void) | undefined
}

/** A process that wakes up needs this long for one overdue timer, in ms: each has a turn of its own. */
const TURN = 0.001

/** From the world's `since` on, a clock that showed `shown` went on at so many ms for each of the world's. */
interface Stretch {
  readonly shown: Millis
  readonly since: Millis
  readonly rate: number
}

interface Timer {
  /** On this server's clock. */
  readonly due: Millis
  readonly run: () => void
  task: Task | undefined
}

/**
 * One server's view of time: its clock may run fast or slow and jump forwards, never back, and its process
 * may be paused. Whatever is due to a paused server waits, and happens when it is resumed: its timers
 * first, as a stalled process finds them before its mail.
 */
export class ServerClock implements SchedulerLike {
  readonly #timers = new Set<Timer>()
  /** Due while the server was paused. */
  #overdue: Timer[] = []
  #mail: Mail[] = []
  /** Will read the mail that came while the server was paused. */
  #reading: Task | undefined
  #isPaused = false
  #rate = 1
  /** This clock showed `#shown` when the world's showed `#since`. */
  #shown: Millis = 0
  #since: Millis = 0
  /** What was shown when, each time that the clock jumped or went on at another speed. */
  readonly #past: Stretch[] = []

  constructor(private readonly world: VirtualClock) {}

  get isPaused(): boolean {
    return this.#isPaused
  }

  now(): Millis {
    return this.#shown + (this.world.now() - this.#since) * this.#rate
  }

  /** The first moment of the world's at which the clock showed so much, or more; now, if it does not yet. */
  when(shown: Millis): Millis {
    const all = [...this.#past, { shown: this.#shown, since: this.#since, rate: this.#rate }]
    const at = all.findLastIndex((stretch) => stretch.shown < shown)
    if (at < 0) return 0
    const { since, rate, shown: before } = all[at]!
    return Math.min(since + (shown - before) / rate, all[at + 1]?.since ?? this.world.now())
  }

  schedule<T>(
    work: (this: SchedulerAction<T>, state: T) => void,
    delay = 0,
    state?: T,
  ): Subscription {
    return scheduleOn(this, work, delay, state as T)
  }

  after(delay: Millis, run: () => void): Timer {
    const timer: Timer = { due: this.now() + delay, run, task: undefined }
    this.#timers.add(timer)
    timer.task = this.world.after(delay / this.#rate, () => this.#ring(timer))
    return timer
  }

  cancel(timer: Timer): void {
    if (timer.task !== undefined) this.world.cancel(timer.task)
    this.#timers.delete(timer)
  }

  /** Something reaches this server from outside: now, or when it is resumed, or never, if it dies before. */
  post(run: () => void, lost?: () => void): void {
    if (this.#isPaused) this.#mail.push({ run, lost })
    else run()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    const overdue = this.#overdue
    this.#overdue = []
    const waiting = overdue.filter((timer) => this.#timers.has(timer))
    for (const [i, timer] of waiting.entries()) {
      timer.task = this.world.after(i * TURN, () => this.#ring(timer))
    }
    this.#reading = this.world.after(waiting.length * TURN, () => {
      for (const { run, lost } of this.#mail.splice(0)) this.post(run, lost)
    })
  }

  /** The clock shows `ms` more, at once. */
  jump(ms: Millis): void {
    this.#set(this.now() + ms, this.#rate)
  }

  /** From now on the clock shows `rate` milliseconds for each that passes. */
  drift(rate: number): void {
    this.#set(this.now(), rate)
  }

  /** The process is dead: nothing that waited for it happens. The clock runs on. */
  clear(): void {
    for (const timer of this.#timers) this.cancel(timer)
    if (this.#reading !== undefined) this.world.cancel(this.#reading)
    this.#overdue = []
    const unread = this.#mail.splice(0)
    this.#isPaused = false
    for (const { lost } of unread) lost?.()
  }

  #ring(timer: Timer): void {
    timer.task = undefined
    if (this.#isPaused) {
      this.#overdue.push(timer)
      return
    }
    this.#timers.delete(timer)
    timer.run()
  }

  #set(shown: Millis, rate: number): void {
    this.#past.push({ shown: this.#shown, since: this.#since, rate: this.#rate })
    this.#shown = shown
    this.#since = this.world.now()
    this.#rate = rate
    for (const timer of this.#timers) {
      if (timer.task === undefined) continue
      this.world.cancel(timer.task)
      const delay = Math.max(0, timer.due - shown) / rate
      timer.task = this.world.after(delay, () => this.#ring(timer))
    }
  }
}
