import type { SchedulerLike, Subscription } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import type { Millis } from '../../lib/types.ts'

/** The longest time in ms that a timer can wait. */
export const LONGEST = 2 ** 31 - 1

interface Deadline {
  readonly at: Millis
  expire: (() => void) | undefined
}

/** Deadlines of one length, in the order in which they expire. */
interface Queue {
  readonly ms: Millis
  waiting: Deadline[]
  /** Those before it are over. */
  head: number
  /** How many are neither over nor taken back. */
  open: number
  timer: Subscription | undefined
}

/**
 * Time limits by the hundred thousand with one timer for each length: limits of one length expire in
 * the order in which they were set.
 */
export class Deadlines {
  readonly #queues = new Map<Millis, Queue>()

  #isStopped = false

  constructor(private readonly scheduler: SchedulerLike) {}

  /**
   * Calls `expire` after `ms`, unless the returned function is called before. `Infinity` never does.
   * Throws `ConfigError` for what no timer can wait for.
   */
  set(ms: Millis, expire: () => void): () => void {
    if (!(ms > 0) || (ms > LONGEST && ms !== Infinity)) {
      throw new ConfigError('timeout', ms, `more than 0 and at most ${LONGEST} ms, or Infinity`)
    }
    if (ms === Infinity || this.#isStopped) return () => undefined
    const queue = this.#queues.get(ms) ?? { ms, waiting: [], head: 0, open: 0, timer: undefined }
    this.#queues.set(ms, queue)
    const deadline: Deadline = { at: this.scheduler.now() + ms, expire }
    queue.waiting.push(deadline)
    queue.open++
    forgetPast(queue)
    if (queue.timer === undefined) this.#arm(queue)
    return () => {
      if (deadline.expire === undefined) return
      deadline.expire = undefined
      if (--queue.open === 0) this.#drop(queue)
      else forgetTakenBack(queue)
    }
  }

  /** How many limits it remembers, those among them that were taken back. */
  get size(): number {
    return [...this.#queues.values()].reduce((sum, it) => sum + it.waiting.length - it.head, 0)
  }

  stop(): void {
    this.#isStopped = true
    for (const queue of this.#queues.values()) this.#drop(queue)
  }

  /** Nobody waits: no timer keeps the process alive. */
  #drop(queue: Queue): void {
    queue.timer?.unsubscribe()
    this.#queues.delete(queue.ms)
  }

  #arm(queue: Queue): void {
    const { at } = queue.waiting[queue.head]!
    const delay = Math.max(0, Math.ceil(at - this.scheduler.now()))
    queue.timer = this.scheduler.schedule(() => this.#ring(queue), delay)
  }

  #ring(queue: Queue): void {
    const now = this.scheduler.now()
    const past: Deadline[] = []
    for (; (queue.waiting[queue.head]?.at ?? Infinity) <= now; queue.head++) {
      const deadline = queue.waiting[queue.head]!
      if (deadline.expire !== undefined) past.push(deadline)
    }
    queue.open -= past.length
    forgetPast(queue)
    if (queue.open > 0) this.#arm(queue)
    else this.#drop(queue)
    for (const deadline of past) {
      const { expire } = deadline
      deadline.expire = undefined
      expire?.()
    }
  }
}

/** Drops what is over from the front, moving the rest only when that frees half of it. */
function forgetPast(queue: Queue): void {
  const { waiting } = queue
  while (queue.head < waiting.length && waiting[queue.head]!.expire === undefined) queue.head++
  if (queue.head * 2 < waiting.length || queue.head < 64) return
  queue.waiting = waiting.slice(queue.head)
  queue.head = 0
}

/** Behind one that is open, those that were taken back are dropped when they are most of all. */
function forgetTakenBack(queue: Queue): void {
  if (queue.waiting.length - queue.head <= 2 * queue.open + 1024) return
  queue.waiting = queue.waiting.filter(({ expire }) => expire !== undefined)
  queue.head = 0
}
