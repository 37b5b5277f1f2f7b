import type { SchedulerLike, Subscription, Unsubscribable } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import type { Millis } from '../../lib/types.ts'

/** The longest time in ms that a timer can wait. */
export const LONGEST = 2 ** 31 - 1

/** Whoever has a time limit. */
export interface Expiring {
  expire(): void
}

const NEVER: Unsubscribable = { unsubscribe: () => undefined }

/**
 * Time limits by the hundred thousand with one timer for each length: limits of one length expire in
 * the order in which they were set.
 */
export class Deadlines {
  readonly #queues = new Map<Millis, Queue>()

  #isStopped = false

  constructor(private readonly scheduler: SchedulerLike) {}

  /**
   * Has it expire after `ms`, unless what is returned is unsubscribed before. `Infinity` never does.
   * Throws `ConfigError` for what no timer can wait for.
   */
  set(ms: Millis, expiring: Expiring): Unsubscribable {
    if (!(ms > 0) || (ms > LONGEST && ms !== Infinity)) {
      throw new ConfigError('timeout', ms, `more than 0 and at most ${LONGEST} ms, or Infinity`)
    }
    if (ms === Infinity || this.#isStopped) return NEVER
    let queue = this.#queues.get(ms)
    if (queue === undefined) {
      queue = new Queue(ms, this.scheduler, this.#queues)
      this.#queues.set(ms, queue)
    }
    return queue.add(expiring)
  }

  /** How many limits it remembers, those among them that were taken back. */
  get size(): number {
    return [...this.#queues.values()].reduce((sum, { size }) => sum + size, 0)
  }

  stop(): void {
    this.#isStopped = true
    for (const queue of this.#queues.values()) queue.drop()
  }
}

/** Deadlines of one length, in the order in which they expire. It is among all as long as anybody waits. */
class Queue {
  #waiting: Deadline[] = []
  /** Those before it are over. */
  #head = 0
  /** How many are neither over nor taken back. */
  #open = 0
  #timer: Subscription | undefined

  constructor(
    private readonly ms: Millis,
    private readonly scheduler: SchedulerLike,
    private readonly all: Map<Millis, Queue>,
  ) {}

  get size(): number {
    return this.#waiting.length - this.#head
  }

  add(expiring: Expiring): Deadline {
    const deadline = new Deadline(this, this.scheduler.now() + this.ms, expiring)
    this.#waiting.push(deadline)
    this.#open++
    this.#forgetPast()
    if (this.#timer === undefined) this.#arm()
    return deadline
  }

  /** One is taken back. */
  met(): void {
    if (--this.#open === 0) this.drop()
    else this.#forgetTakenBack()
  }

  /** Nobody waits: no timer keeps the process alive. */
  drop(): void {
    this.#timer?.unsubscribe()
    this.all.delete(this.ms)
  }

  #arm(): void {
    const { at } = this.#waiting[this.#head]!
    const delay = Math.max(0, Math.ceil(at - this.scheduler.now()))
    this.#timer = this.scheduler.schedule(() => this.#ring(), delay)
  }

  #ring(): void {
    const now = this.scheduler.now()
    const past: Deadline[] = []
    for (; (this.#waiting[this.#head]?.at ?? Infinity) <= now; this.#head++) {
      const deadline = this.#waiting[this.#head]!
      if (deadline.leave()) past.push(deadline)
    }
    this.#open -= past.length
    this.#forgetPast()
    if (this.#open > 0) this.#arm()
    else this.drop()
    for (const deadline of past) deadline.expire()
  }

  /** Drops what is over from the front, moving the rest only when that frees half of it. */
  #forgetPast(): void {
    const waiting = this.#waiting
    while (this.#head < waiting.length && waiting[this.#head]!.isOver) this.#head++
    if (this.#head * 2 < waiting.length || this.#head < 64) return
    this.#waiting = waiting.slice(this.#head)
    this.#head = 0
  }

  /** Behind one that is open, those that were taken back are dropped when they are most of all. */
  #forgetTakenBack(): void {
    if (this.size <= 2 * this.#open + 1024) return
    this.#waiting = this.#waiting.filter(({ isOver }) => !isOver)
    this.#head = 0
  }
}

class Deadline implements Unsubscribable {
  #expiring: Expiring | undefined
  /** Where it waits. */
  #queue: Queue | undefined

  constructor(
    queue: Queue,
    readonly at: Millis,
    expiring: Expiring,
  ) {
    this.#queue = queue
    this.#expiring = expiring
  }

  /** Whether it was taken back, or has expired. */
  get isOver(): boolean {
    return this.#expiring === undefined
  }

  /** Its time has come: it waits no more, and expires unless it is taken back by one that does so before. Whether it is not over. */
  leave(): boolean {
    this.#queue = undefined
    return !this.isOver
  }

  expire(): void {
    const expiring = this.#expiring
    this.#expiring = undefined
    expiring?.expire()
  }

  unsubscribe(): void {
    if (this.isOver) return
    this.#expiring = undefined
    this.#queue?.met()
  }
}
