import type { Millis } from '../../lib/types.ts'
import type { VirtualClock } from './clock.ts'
import type { Task } from './heap.ts'

/** Jobs that are done one after the other, each of which takes its time, and none while it stands still. */
export class Lane<Job> {
  readonly #jobs: Job[] = []
  #task: Task | undefined
  #isStalled = false

  constructor(
    private readonly clock: VirtualClock,
    private readonly time: (job: Job) => Millis,
    private readonly done: (job: Job) => void,
  ) {}

  /** The job under way. */
  get first(): Job | undefined {
    return this.#jobs[0]
  }

  push(job: Job): void {
    this.#jobs.push(job)
    if (this.#jobs.length === 1) this.#begin()
  }

  stall(isStalled: boolean): void {
    this.#isStalled = isStalled
    if (this.#task === undefined) this.#begin()
  }

  /** Forgets what is not done. */
  clear(): void {
    if (this.#task !== undefined) this.clock.cancel(this.#task)
    this.#task = undefined
    this.#jobs.length = 0
  }

  #begin(): void {
    const [job] = this.#jobs
    if (this.#isStalled || job === undefined) return
    this.#task = this.clock.after(this.time(job), () => this.#end())
  }

  #end(): void {
    this.#task = undefined
    if (this.#isStalled) return
    const job = this.#jobs.shift()!
    this.#begin()
    this.done(job)
  }
}
