import type { SchedulerLike } from 'rxjs'
import { Stopped } from '../../lib/errors.ts'
import type { Answer } from '../../lib/turn.ts'
import { guarded } from './report.ts'
import { TurnEnd } from './turnEnd.ts'

/** A question that waits until it may be answered from the applied state. */
export interface Asked {
  readonly answer: () => void
  readonly fail: (error: Error) => void
}

/**
 * Linearizable reads, from the call to the moment at which they may be answered. Questions of one turn
 * share a ticket; a question that could not be confirmed is asked again once a leader is known.
 */
export class Questions {
  readonly #asked = new Map<number, readonly Asked[]>()
  #open: Asked[] = []
  #parked: Asked[] = []
  readonly #turnEnd: TurnEnd
  #stopped: Stopped | undefined
  #ticket: number

  constructor(
    private readonly raise: (ticket: number) => void,
    random: () => number,
    turns: SchedulerLike,
  ) {
    // A reply meant for an earlier life of this server must not answer a question of this one.
    this.#ticket = Math.floor(random() * 2 ** 48)
    this.#turnEnd = new TurnEnd(() => this.#close(), turns)
  }

  /** Asks. The returned function takes the question back. */
  ask(question: Asked): () => void {
    if (this.#stopped !== undefined) {
      question.fail(this.#stopped)
      return () => undefined
    }
    const asked = { ...question }
    this.#enqueue([asked])
    return () => {
      asked.answer = asked.fail = () => undefined
      this.#parked = this.#parked.filter((parked) => parked !== asked)
    }
  }

  answered(answer: Answer): void {
    const questions = this.#asked.get(answer.ticket)
    if (questions === undefined) return
    if (answer.type === 'readable') {
      this.#asked.delete(answer.ticket)
      for (const question of questions) guarded(() => question.answer())
    } else if (answer.type === 'unreadable') {
      this.#asked.delete(answer.ticket)
      this.#parked.push(...questions)
    }
  }

  /** A leader is known: whoever waited for one asks again. */
  retry(): void {
    if (this.#parked.length === 0) return
    const parked = this.#parked
    this.#parked = []
    this.#enqueue(parked)
  }

  stop(cause?: unknown): void {
    if (this.#stopped !== undefined) return
    const stopped = new Stopped('none', cause === undefined ? undefined : { cause })
    this.#stopped = stopped
    this.#turnEnd.cancel()
    const waiting = [...this.#asked.values(), this.#open, this.#parked].flat()
    this.#asked.clear()
    this.#open = []
    this.#parked = []
    for (const question of waiting) guarded(() => question.fail(stopped))
  }

  #enqueue(questions: readonly Asked[]): void {
    this.#open.push(...questions)
    this.#turnEnd.request()
  }

  #close(): void {
    const ticket = this.#ticket++
    this.#asked.set(ticket, this.#open)
    this.#open = []
    this.raise(ticket)
  }
}
