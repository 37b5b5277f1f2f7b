import type { SchedulerLike } from 'rxjs'
import { Stopped } from '../../lib/errors.ts'
import type { Answer } from '../../lib/turn.ts'
import type { Millis } from '../../lib/types.ts'
import type { Places } from './places.ts'
import { guarded } from './report.ts'
import { TurnEnd } from './turnEnd.ts'

/** A question that waits until it may be answered from the applied state. */
export interface Asked {
  readonly answer: () => void
  readonly fail: (error: Error) => void
}

interface Question extends Asked {
  isTakenBack: boolean
}

/** Questions of one turn, and when they were asked. */
interface Round {
  readonly at: Millis
  readonly questions: readonly Question[]
}

/**
 * Linearizable reads, from the call to the moment at which they may be answered. Questions of one turn
 * share a ticket; a question that could not be confirmed is asked again once a leader is known.
 */
export class Questions {
  readonly #asked = new Map<number, Round>()
  #open: Question[] = []
  #parked = new Set<Question>()
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
    private readonly places: Places,
  ) {
    this.#ticket = ticket
    this.#turnEnd = new TurnEnd(() => this.#close(), turns)
  }

  /** Asks. The returned function takes the question back. */
  ask(question: Asked): () => void {
    const refusal = this.#stopped ?? this.places.take()
    if (refusal !== undefined) {
      question.fail(refusal)
      return () => undefined
    }
    const asked: Question = { ...question, isTakenBack: false }
    this.#enqueue([asked])
    return () => {
      asked.isTakenBack = true
      // One that is on its way keeps its place until it is back: whoever asks in vain for ever is not to fill the memory.
      if (this.#parked.delete(asked)) this.places.leave()
    }
  }

  /** Whether what is applied here misses nothing that was acknowledged `ms` ago. */
  isConfirmedWithin(ms: Millis): boolean {
    return this.clock.now() - this.#confirmed <= ms
  }

  answered(answer: Answer): void {
    const round = this.#asked.get(answer.ticket)
    if (round === undefined) return
    if (answer.type !== 'readable' && answer.type !== 'unreadable') return
    this.#asked.delete(answer.ticket)
    const { at, questions } = round
    const waiting = questions.filter(({ isTakenBack }) => !isTakenBack)
    if (answer.type === 'unreadable') {
      this.places.leave(questions.length - waiting.length)
      for (const question of waiting) this.#parked.add(question)
      return
    }
    // When it was asked counts: what came after that, the answer may not know of.
    this.#confirmed = Math.max(this.#confirmed, at)
    this.places.leave(questions.length)
    for (const question of waiting) if (!question.isTakenBack) guarded(() => question.answer())
  }

  /** A leader is known: whoever waited for one asks again. */
  retry(): void {
    if (this.#parked.size === 0) return
    const parked = [...this.#parked]
    this.#parked.clear()
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
    this.#parked.clear()
    for (const question of waiting) if (!question.isTakenBack) guarded(() => question.fail(stopped))
  }

  #enqueue(questions: readonly Question[]): void {
    for (const question of questions) this.#open.push(question)
    this.#turnEnd.request()
  }

  #close(): void {
    const ticket = this.#ticket++
    this.#asked.set(ticket, { at: this.clock.now(), questions: this.#open })
    this.#open = []
    this.raise(ticket)
  }
}
