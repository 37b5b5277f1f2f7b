import type { SchedulerLike, Subscription } from 'rxjs'
import type { Millis } from '../../lib/types.ts'

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
  timer: Subscription | undefined
}

/**
 * Time limits by the hundred thousand with one timer for each length: limits of one length expire in
 * the order in which they were set.
 */
export class Deadlines {
  readonly #queues = new Map<Millis, Queue>()

  constructor(private readonly scheduler: SchedulerLike) {}

  /** Calls `expire` after `ms`, unless the returned function is called before. `Infinity` never does. */
  set(ms: Millis, expire: () => void): () => void {
    if (ms === Infinity) return () => undefined
    const queue = this.#queues.get(ms) ?? { ms, waiting: [], head: 0, timer: undefined }
    this.#queues.set(ms, queue)
    const deadline: Deadline = { at: this.scheduler.now() + ms, expire }
    queue.waiting.push(deadline)
    forgetPast(queue)
    if (queue.timer === undefined) this.#arm(queue)
    return () => {
      deadline.expire = undefined
    }
  }

  stop(): void {
    for (const { timer } of this.#queues.values()) timer?.unsubscribe()
    this.#queues.clear()
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
      past.push(queue.waiting[queue.head]!)
    }
    forgetPast(queue)
    queue.timer = undefined
    if (queue.head < queue.waiting.length) this.#arm(queue)
    else this.#queues.delete(queue.ms)
    for (const { expire } of past) expire?.()
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
