import type { Millis } from '../../lib/types.ts'

/** Something that will happen. Made by {@link EventHeap.add}. */
export interface Task {
  readonly at: Millis
  readonly run: () => void
  /** Counts the tasks of a heap: of two at one instant, the earlier made comes first. */
  readonly order: number
  /** Where it lies in the heap; -1 once it does not. */
  position: number
}

/** What is to happen, soonest first, and at one instant in the order of insertion. All in O(log n). */
export class EventHeap {
  readonly #tasks: Task[] = []
  #order = 0

  get size(): number {
    return this.#tasks.length
  }

  get first(): Task | undefined {
    return this.#tasks[0]
  }

  add(at: Millis, run: () => void): Task {
    const task: Task = { at, run, order: this.#order++, position: this.#tasks.length }
    this.#tasks.push(task)
    this.#rise(task)
    return task
  }

  /** Takes the soonest out. */
  take(): Task | undefined {
    const first = this.#tasks[0]
    if (first !== undefined) this.remove(first)
    return first
  }

  /** Takes a task out, if it is still there. */
  remove(task: Task): void {
    const { position } = task
    if (position < 0) return
    task.position = -1
    const last = this.#tasks.pop()!
    if (last === task) return
    this.#put(last, position)
    this.#rise(last)
    this.#sink(last)
  }

  #put(task: Task, position: number): void {
    task.position = position
    this.#tasks[position] = task
  }

  #rise(task: Task): void {
    let { position } = task
    while (position > 0) {
      const parent = this.#tasks[(position - 1) >> 1]!
      if (isBefore(parent, task)) break
      const above = parent.position
      this.#put(parent, position)
      position = above
    }
    this.#put(task, position)
  }

  #sink(task: Task): void {
    let { position } = task
    for (;;) {
      const left = this.#tasks[2 * position + 1]
      if (left === undefined) break
      const right = this.#tasks[2 * position + 2]
      const child = right !== undefined && isBefore(right, left) ? right : left
      if (isBefore(task, child)) break
      const below = child.position
      this.#put(child, position)
      position = below
    }
    this.#put(task, position)
  }
}

const isBefore = (a: Task, b: Task): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
