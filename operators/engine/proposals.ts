import type { SchedulerLike } from 'rxjs'
import { lastIndexOf } from '../../lib/batch.ts'
import {
  CommandFailed,
  CommandTooLarge,
  NotLeader,
  Overloaded,
  Stopped,
  Superseded,
} from '../../lib/errors.ts'
import type { Proposed } from '../../lib/events.ts'
import type { Answer, AppliedBatch } from '../../lib/turn.ts'
import type { Index, Term } from '../../lib/types.ts'
import type { Codec } from '../codec.ts'
import type { Applied, Settle } from './node.ts'
import { Packer } from './packer.ts'
import { guarded, report } from './report.ts'
import { TurnEnd } from './turnEnd.ts'

export interface ProposalLimits {
  readonly maxCommandBytes: number
  readonly maxAppendBytes: number
  readonly maxUncommittedBytes: number
}

/** Commands of one turn that are in the log together, waiting for what becomes of them. */
interface Waiting<R> {
  readonly term: Term
  readonly index: Index
  readonly settles: readonly Settle<R>[]
  /** The first index that is not settled. */
  next: Index
}

/**
 * The commands that this node has taken in, from the call to the outcome. What is submitted in one turn
 * of the event loop becomes one batch and one event; outcomes are matched by index and term, so that an
 * entry that another leader put in a command's place settles it as `Superseded`.
 */
export class Proposals<C, R> {
  readonly #packer = new Packer()
  readonly #judged = new Map<number, Settle<R>[]>()
  readonly #waiting: Waiting<R>[] = []
  #open: Settle<R>[] = []
  #ticket = 0
  readonly #turnEnd: TurnEnd
  #stopped: Stopped | undefined

  constructor(
    private readonly codec: Codec<C>,
    private readonly limits: ProposalLimits,
    private readonly raise: (event: Omit<Proposed, 'at'>) => void,
    turns: SchedulerLike,
  ) {
    this.#turnEnd = new TurnEnd(() => this.#close(), turns)
  }

  submit(command: C, settle: Settle<R>): void {
    if (this.#stopped !== undefined) return settle.failed(this.#stopped)
    const { maxCommandBytes, maxAppendBytes } = this.limits
    const payload = this.codec.encode(command)
    if (payload.length > maxCommandBytes) {
      return settle.failed(new CommandTooLarge(payload.length, maxCommandBytes))
    }
    if (this.#packer.size > 0 && this.#packer.size + payload.length > maxAppendBytes) this.#close()
    this.#packer.add(payload)
    this.#open.push(settle)
    this.#turnEnd.request()
  }

  answered(answer: Answer): void {
    const settles = this.#judged.get(answer.ticket)
    if (settles === undefined) return
    switch (answer.type) {
      case 'accepted': {
        this.#judged.delete(answer.ticket)
        const { index, term } = answer
        this.#waiting.push({ index, term, settles, next: index })
        for (let i = 0; i < settles.length; i++) {
          const settle = settles[i]!
          if (settle.queued !== undefined) guarded(() => settle.queued?.(index + i, term))
        }
        return
      }
      case 'notLeader':
        return this.#refuse(answer.ticket, new NotLeader(answer.leader))
      case 'overloaded':
        return this.#refuse(answer.ticket, this.#overloaded())
      case 'readable':
      case 'unreadable':
        return
    }
  }

  applied({ batch, outcomes }: AppliedBatch): void {
    const last = lastIndexOf(batch)
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      // Terms never fall along the log, so what is of an earlier term has lost its place for good; an
      // entry of an earlier term in a command's place has taken it, and those of all that follow (§5.3).
      if (head.term >= batch.term && head.next > last) return
      const isLost = head.term !== batch.term
      const end = head.index + head.settles.length
      const from = head.next
      head.next = isLost ? end : Math.min(last + 1, end)
      // Settling may propose again or stop the node: the queue is in order before it begins.
      if (head.next === end) this.#waiting.shift()
      for (let index = from; index < head.next; index++) {
        const settle = head.settles[index - head.index]!
        if (isLost) fail(settle, new Superseded(index))
        else settleOne(settle, outcomes[index - batch.index] as Applied<C, R>)
      }
    }
  }

  /** Whoever waits is told that the node is stopped; what is in the log may still take effect. */
  stop(cause?: unknown): void {
    if (this.#stopped !== undefined) return
    const options = cause === undefined ? undefined : { cause }
    this.#stopped = new Stopped('none', options)
    this.#turnEnd.cancel()
    const neverRaised = this.#open
    // What was raised may have reached the disk in the very step in which the disk failed.
    const inLog = this.#waiting.flatMap(({ index, next, settles }) => settles.slice(next - index))
    const raised = [...inLog, ...[...this.#judged.values()].flat()]
    this.#judged.clear()
    this.#waiting.length = 0
    this.#open = []
    for (const settle of neverRaised) fail(settle, this.#stopped)
    for (const settle of raised) fail(settle, new Stopped('unknown', options))
  }

  #overloaded(): Overloaded {
    const { maxUncommittedBytes } = this.limits
    return new Overloaded(`over ${maxUncommittedBytes} bytes wait to be committed: try again later`)
  }

  #close(): void {
    if (this.#open.length === 0) return
    const ticket = this.#ticket++
    const settles = this.#open
    this.#open = []
    this.#judged.set(ticket, settles)
    this.raise({
      type: 'proposed',
      ticket,
      kind: 'command',
      count: settles.length,
      bytes: this.#packer.take(),
    })
  }

  #refuse(ticket: number, error: NotLeader | Overloaded): void {
    const settles = this.#judged.get(ticket) ?? []
    this.#judged.delete(ticket)
    for (const settle of settles) fail(settle, error)
  }
}

function settleOne<C, R>(settle: Settle<R>, outcome: Applied<C, R>): void {
  const { index, term } = outcome
  try {
    settle.committed?.(index, term)
    if (outcome.ok) settle.applied(outcome.result, index, term)
    else settle.failed(new CommandFailed(index, outcome.error))
  } catch (error) {
    report(error)
  }
}

const fail = <R>(settle: Settle<R>, error: Error): void => guarded(() => settle.failed(error))
