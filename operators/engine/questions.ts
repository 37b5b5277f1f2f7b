import type { SchedulerLike } from 'rxjs'
import { Stopped } from '../../lib/errors.ts'
import type { Answer } from '../../lib/turn.ts'
import type { Millis } from '../../lib/types.ts'
import { guarded } from './report.ts'
import { TurnEnd } from './turnEnd.ts'

/** A question that waits until it may be answered from the applied state. */
export interface Asked {
  readonly answer: () => void
  readonly fail: (error: Error) => void
}

/** Questions of one turn, and when they were asked. */
interface Round {
  readonly at: Millis
  readonly questions: readonly Asked[]
}

/**
 * Linearizable reads, from the call to the moment at which they may be answered. Questions of one turn
 * share a ticket; a question that could not be confirmed is asked again once a leader is known.
 */
export class Questions {
  readonly #asked = new Map<number, Round>()
  #open: Asked[] = []
  #parked: Asked[] = []
  readonly #turnEnd: TurnEnd
  #stopped: Stopped | undefined
  #ticket: number
  /** What is applied here has everything that was committed at this moment. */
  #confirmed = -Infinity

  constructor(
    private readonly raise: (ticket: number) => void,
    /** The first ticket. */
    ticket: number,
    turns: SchedulerLike,
    private readonly clock: Pick<SchedulerLike, 'now'>,
  ) {
    this.#ticket = ticket
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

  /** Whether what is applied here misses nothing that was acknowledged `ms` ago. */
  isConfirmedWithin(ms: Millis): boolean {
    return this.clock.now() - this.#confirmed <= ms
  }

  answered(answer: Answer): void {
    const round = this.#asked.get(answer.ticket)
    if (round === undefined) return
    const { at, questions } = round
    if (answer.type === 'readable') {
      this.#asked.delete(answer.ticket)
      // When it was asked counts: what came after that, the answer may not know of.
      this.#confirmed = Math.max(this.#confirmed, at)
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
    const asked = [...this.#asked.values()].flatMap(({ questions }) => questions)
    const waiting = [...asked, ...this.#open, ...this.#parked]
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
    this.#asked.set(ticket, { at: this.clock.now(), questions: this.#open })
    this.#open = []
    this.raise(ticket)
  }
}
