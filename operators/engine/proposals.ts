import type { SchedulerLike } from 'rxjs'
import { lastIndexOf, type Kind } from '../../lib/batch.ts'
import {
  CommandFailed,
  CommandTooLarge,
  NoSpace,
  NotLeader,
  Overloaded,
  Overtaken,
  Stopped,
  Superseded,
  Unanswered,
} from '../../lib/errors.ts'
import type { Proposed } from '../../lib/events.ts'
import { mayTakeIn } from '../../lib/intake.ts'
import {
  SessionExpired,
  writeOpening,
  writeRequest,
  type Request,
  type Session,
  type SessionLimits,
} from '../../lib/sessions.ts'
import type { State } from '../../lib/state.ts'
import type { Answer, AppliedBatch, Step } from '../../lib/turn.ts'
import type { Index, Term } from '../../lib/types.ts'
import type { Codec } from '../codec.ts'
import type { AppliedRequests } from './clients.ts'
import { Commits, tellCommits, type Run } from './commits.ts'
import type { Settle } from './node.ts'
import { Packer } from './packer.ts'
import { guarded, report } from './report.ts'
import { Room } from './room.ts'
import type { Result } from './sessions.ts'
import { TurnEnd } from './turnEnd.ts'

export interface ProposalLimits {
  readonly maxCommandBytes: number
  readonly maxAppendBytes: number
  readonly maxUncommittedBytes: number
}

/** Commands of one turn that are on their way to the log. */
interface Raised<R> {
  readonly settles: readonly Settle<R>[]
  readonly bytes: number
}

/**
 * The commands that this node has taken in, from the call to the outcome. What is submitted in one turn
 * of the event loop becomes one batch and one event; outcomes are matched by index and term, so that an
 * entry that another leader put in a command's place settles it as `Superseded`.
 */
export class Proposals<C, R> {
  readonly #packer = new Packer()
  readonly #raised = new Map<number, Raised<R>>()
  readonly #waiting: Run<R>[] = []
  readonly #commits = new Commits<R>()
  #open: Settle<R>[] = []
  #kind: Kind = 'command'
  #ticket: number
  /** Up to here outcomes have been told, or are lost. */
  #settledIndex: Index = 0
  readonly #turnEnd: TurnEnd
  readonly #room: Room
  /** Why nothing is taken in at present. */
  #refusal: Stopped | Overloaded | undefined

  constructor(
    private readonly codec: Codec<C>,
    private readonly limits: ProposalLimits,
    private readonly raise: (event: Omit<Proposed, 'at'>) => void,
    turns: SchedulerLike,
    /** The first ticket. */
    ticket = 0,
  ) {
    this.#ticket = ticket
    this.#room = new Room(limits.maxUncommittedBytes, limits.maxAppendBytes)
    this.#turnEnd = new TurnEnd(() => this.#close(), turns)
  }

  submit(command: C, settle: Settle<R>, encoded?: Uint8Array): void {
    const payload = this.#encode(command, settle, encoded)
    if (payload === undefined || !this.#begin('command', payload.length, settle)) return
    this.#packer.add(payload)
    this.#end(settle)
  }

  /** The same for a command that has a name, to be applied once however often it is submitted. */
  request(command: C, request: Request, settle: Settle<R>, encoded?: Uint8Array): void {
    const payload = this.#encode(command, settle, encoded)
    if (payload === undefined || !this.#begin('request', payload.length, settle)) return
    this.#packer.addWithHeader(payload, (bytes, at) => writeRequest(bytes, at, request))
    this.#end(settle)
  }

  /** Opens a session. It is known once it is queued, and open once it is applied. */
  openSession(limits: SessionLimits, settle: Settle<Session>): void {
    if (this.#refusal !== undefined) return settle.failed(this.#refusal)
    if (!this.#begin('request', 0, settle)) return
    this.#packer.addWithHeader(NOTHING, (bytes, at) => writeOpening(bytes, at, limits))
    this.#end(settle as Settle<unknown>)
  }

  answered(answer: Answer): void {
    switch (answer.type) {
      case 'accepted':
        return this.#accepted(answer.index, answer.term, this.#judge(answer.ticket))
      case 'unanswered':
        return failAll(this.#judge(answer.ticket).settles, new Unanswered())
      case 'notLeader':
        return failAll(this.#judge(answer.ticket).settles, new NotLeader(answer.leader))
      case 'overloaded':
        return this.#declined(this.#judge(answer.ticket))
      case 'noSpace':
        return failAll(this.#judge(answer.ticket).settles, new NoSpace())
      case 'readable':
      case 'unreadable':
      case 'snapshotTaken':
      case 'changed':
      case 'unchanged':
      case 'handedOver':
      case 'kept':
        return
    }
  }

  /** After a step: whether commands are taken in again, since some were refused as too many. Says so once. */
  hasRoomAgain(step: Step): boolean {
    if (!(this.#refusal instanceof Overloaded)) return false
    if (this.#room.isDeclined && mayTakeIn(step)) this.#room.open()
    if (this.#room.isFull) return false
    this.#refusal = undefined
    return true
  }

  /** After a step, before what it applied is: whoever wants to hear that a command is committed is told. */
  committed(state: Pick<State, 'log' | 'commitIndex'>): void {
    this.#commits.tell(state)
  }

  applied(applied: AppliedBatch): void {
    const { batch } = applied
    const last = lastIndexOf(batch)
    this.#settledIndex = Math.max(this.#settledIndex, last)
    if (this.#waiting.length === 0) return
    const outcomes = answersOf(applied)
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
      if (!isLost && head.untold < head.next) tellCommits(head, from, head.next - 1)
      for (let index = from; index < head.next; index++) {
        const settle = head.settles[index - head.index]!
        if (isLost) fail(settle, new Superseded(index))
        else settleOne(settle, outcomes[index - batch.index], index)
      }
    }
  }

  /** A snapshot stands for everything through `index`: what became of the commands there, nobody knows. */
  overtaken(index: Index): void {
    this.#settledIndex = Math.max(this.#settledIndex, index)
    // Runs of several terms are not in the order of their indexes.
    for (const run of this.#waiting.splice(0)) {
      const from = run.next
      const end = run.index + run.settles.length
      run.next = Math.max(from, Math.min(index + 1, end))
      if (run.next < end) this.#waiting.push(run)
      for (let i = from; i < run.next; i++) fail(run.settles[i - run.index]!, new Overtaken(i))
    }
  }

  /** Whoever waits is told that the node is stopped; what is in the log may still take effect. */
  stop(cause?: unknown): void {
    if (this.#refusal instanceof Stopped) return
    const options = cause === undefined ? undefined : { cause }
    const stopped = new Stopped('none', options)
    this.#refusal = stopped
    this.#turnEnd.cancel()
    const neverRaised = this.#open
    // What was raised may have reached the disk in the very step in which the disk failed.
    const inLog = this.#waiting.flatMap(({ index, next, settles }) => settles.slice(next - index))
    const raised = [...inLog, ...[...this.#raised.values()].flatMap((it) => it.settles)]
    this.#raised.clear()
    this.#waiting.length = 0
    this.#commits.clear()
    this.#open = []
    failAll(neverRaised, stopped)
    failAll(raised, new Stopped('unknown', options))
  }

  /** What waited for the answer. Nothing, where an earlier life of this server asked. */
  #judge(ticket: number): Raised<R> {
    const raised = this.#raised.get(ticket) ?? NONE
    this.#raised.delete(ticket)
    this.#room.judged(raised.bytes)
    return raised
  }

  #declined({ settles }: Raised<R>): void {
    if (settles.length === 0) return
    this.#room.close()
    failAll(settles, this.#overload())
  }

  /** The commands are in the log. A leader's answer that comes late finds some of them applied already. */
  #accepted(index: Index, term: Term, { settles, bytes }: Raised<R>): void {
    this.#room.grow(bytes)
    const late = Math.min(Math.max(0, this.#settledIndex + 1 - index), settles.length)
    const next = index + late
    const run = { index, term, settles, next, untold: Infinity }
    if (late < settles.length) this.#waiting.push(run)
    let isHeard = false
    for (let i = 0; i < settles.length; i++) {
      const settle = settles[i]!
      if (settle.queued !== undefined) guarded(() => settle.queued?.(index + i, term))
      if (settle.committed !== undefined) isHeard = true
      if (i < late) fail(settle, new Unanswered())
    }
    if (!isHeard || late === settles.length) return
    run.untold = next
    this.#commits.add(run)
  }

  /** From now on commands are refused at once, until there is room again. */
  #overload(): Stopped | Overloaded {
    const { maxUncommittedBytes } = this.limits
    this.#refusal ??= new Overloaded(
      `over ${maxUncommittedBytes} bytes wait to be committed or applied: try again later`,
    )
    return this.#refusal
  }

  /** What is refused has no payload. */
  #encode(command: C, settle: Settle<R>, encoded?: Uint8Array): Uint8Array | undefined {
    if (this.#refusal !== undefined) {
      settle.failed(this.#refusal)
      return undefined
    }
    const { maxCommandBytes } = this.limits
    const payload = encoded ?? this.codec.encode(command)
    if (payload.length <= maxCommandBytes) return payload
    settle.failed(new CommandTooLarge(payload.length, maxCommandBytes))
    return undefined
  }

  /** A batch is of one kind, and no longer than a message. With the batch before, there may be no more room. */
  #begin(kind: Kind, length: number, settle: Pick<Settle<R>, 'failed'>): boolean {
    const { size } = this.#packer
    if (this.#kind === kind && (size === 0 || size + length <= this.#room.batch)) return true
    this.#close()
    this.#kind = kind
    if (this.#refusal === undefined) return true
    settle.failed(this.#refusal)
    return false
  }

  #end(settle: Settle<R>): void {
    this.#open.push(settle)
    this.#turnEnd.request()
  }

  #close(): void {
    if (this.#open.length === 0) return
    const ticket = this.#ticket++
    const settles = this.#open
    this.#open = []
    const bytes = this.#packer.take()
    this.#raised.set(ticket, { settles, bytes: bytes.length })
    this.#room.raised(bytes.length)
    if (this.#room.isFull) this.#overload()
    this.raise({ type: 'proposed', ticket, kind: this.#kind, count: settles.length, bytes })
  }
}

const NOTHING = new Uint8Array(0)
const NONE: Raised<never> = { settles: [], bytes: 0 }

const answersOf = (applied: AppliedBatch): AppliedRequests<never, never>['answers'] =>
  'answers' in applied
    ? (applied as AppliedRequests<never, never>).answers
    : (applied.outcomes as readonly Result[])

/** Tells what came of a command, which was applied here or elsewhere. */
export function settleOne<R>(settle: Settle<R>, answer: Result | undefined, at: Index): void {
  // Whoever asked knows which of its sessions that was.
  if (answer === undefined) return fail(settle, new SessionExpired(at, 'unknown'))
  const { index, term } = answer
  try {
    if (answer.ok) settle.applied(answer.result as R, index, term)
    else settle.failed(new CommandFailed(index, answer.error))
  } catch (error) {
    report(error)
  }
}

function failAll<R>(settles: readonly Settle<R>[], error: Error): void {
  for (const settle of settles) fail(settle, error)
}

const fail = <R>(settle: Settle<R>, error: Error): void => guarded(() => settle.failed(error))
