import { lastIndexOf, mapPayloads, slice, type Batch } from '../../lib/batch.ts'
import { isFingerprint, type Fingerprint } from '../../lib/fingerprint.ts'
import type { AppliedBatch, Piece } from '../../lib/turn.ts'
import type { Index, Position } from '../../lib/types.ts'
import { decodingWithin, type Codec } from '../codec.ts'
import type { Machine } from '../machine.ts'
import { Clients, ClientsReader, type AppliedRequests, type Apply } from './clients.ts'
import { Cutter, Joiner, type Pieces } from './pieces.ts'
import type { Capture, Snapshots } from './snapshots.ts'

/** The state machine with its present state: the one thing in a node that changes in place. */
export interface Application<Q, A> extends Snapshots {
  /**
   * Applies the commands of a committed batch in order. A command that throws changes nothing. A batch that
   * the state covers already, since a snapshot came before it, has no outcomes.
   */
  readonly apply: (batch: Batch) => AppliedBatch
  /** Asks the present state. Throws what the machine throws. */
  readonly query: (question: Q) => A
  /** What is replicated beside the state, as it is now. */
  readonly clients: Clients
}

export const application = <S, C, R, Q, A>(
  machine: Machine<S, C, R, Q, A>,
  codec: Codec<C>,
  fingerprintEntries = Infinity,
): Application<Q, A> =>
  new Replica(machine, codec, machine.fingerprint === undefined ? Infinity : fingerprintEntries)

class Replica<S, C, R, Q, A> implements Application<Q, A> {
  #state: S
  #clients = new Clients()
  #position: Position = { index: 0, term: 0 }
  #coming: Coming<S>
  /** For those commands that are being applied. */
  #run: object = {}
  readonly #decode: Required<Codec<C>>['decodeWithin']
  /** The entry after which the next fingerprint is taken. */
  #due: Index

  constructor(
    private readonly machine: Machine<S, C, R, Q, A>,
    codec: Codec<C>,
    /** Entries between two fingerprints. */
    private readonly every: number,
  ) {
    this.#decode = decodingWithin(codec)
    this.#due = every
    this.#state = machine.initial
    this.#coming = comingTo(machine.initial)
  }

  get clients(): Clients {
    return this.#clients
  }

  readonly apply = (batch: Batch): AppliedBatch => {
    const last = lastIndexOf(batch)
    if (last <= this.#position.index) return { batch, outcomes: [] }
    return last < this.#due ? this.#applyAll(batch) : this.#applyInParts(batch)
  }

  #applyAll(batch: Batch): AppliedBatch {
    const { term, kind } = batch
    this.#position = { index: lastIndexOf(batch), term }
    this.#run = {}
    if (kind === 'request') return this.#clients.apply(batch, this.#applyOne)
    if (kind !== 'command') return { batch, outcomes: [] }
    const outcomes = mapPayloads(batch, (bytes, start, end, index) =>
      this.#applyOne(bytes, start, end, index, term),
    )
    return { batch, outcomes }
  }

  /** Cuts the batch where fingerprints are taken. */
  #applyInParts(batch: Batch): AppliedBatch {
    const last = lastIndexOf(batch)
    const parts: AppliedBatch[] = []
    const fingerprints: Fingerprint[] = []
    for (let from = batch.index; from <= last;) {
      const to = Math.min(last, this.#due)
      parts.push(this.#applyAll(slice(batch, from, to)))
      if (to === this.#due) fingerprints.push(this.#fingerprint(to))
      from = to + 1
    }
    return { ...joined(batch, parts), fingerprints }
  }

  #fingerprint(index: Index): Fingerprint {
    this.#due = index + this.every
    const value = String(this.machine.fingerprint!(this.#state))
    if (isFingerprint(value)) return { index, value }
    throw new TypeError(
      `the state machine's fingerprint is "${value}": it should be a number or 1 to 64 visible characters of ASCII`,
    )
  }

  readonly #applyOne: Apply<C, R> = (bytes, start, end, index, term) => {
    const command = this.#decode(bytes, start, end)
    const context = { index, term, run: this.#run }
    try {
      const [next, result] = this.machine.apply(this.#state, command, context)
      this.#state = next
      return { index, term, command, ok: true, result }
    } catch (error) {
      return { index, term, command, ok: false, error }
    }
  }

  readonly query = (question: Q): A => {
    if (this.machine.query === undefined) {
      throw new TypeError('the state machine has no query function')
    }
    return this.machine.query(this.#state, question)
  }

  readonly capture = (): Capture => {
    const pieces = this.machine.snapshot?.(this.#state) ?? [this.#state]
    const cutter = new Cutter(both(this.#clients.pieces(), pieces))
    const next: Capture['next'] = (give, fail) => cutter.next(give, fail)
    return { position: this.#position, next, close: () => cutter.close() }
  }

  readonly restore = ({ mark, offset, bytes, isLast }: Piece): void => {
    if (offset === 0) this.#coming = comingTo(this.machine.initial)
    const { joiner, reader } = this.#coming
    for (const piece of joiner.take(bytes)) {
      if (reader.isDone) this.#coming.state = this.#restoreOne(this.#coming.state, piece)
      else reader.take(piece)
    }
    if (!isLast) return
    this.#state = this.#coming.state
    this.#clients = reader.clients
    this.#position = mark
    if (this.every < Infinity) this.#due = mark.index - (mark.index % this.every) + this.every
  }

  #restoreOne(state: S, piece: unknown): S {
    return this.machine.restore === undefined ? (piece as S) : this.machine.restore(state, piece)
  }

  readonly forget = (before: Index): void => this.#clients.repeats.forget(before)
}

/** What came of a batch, of which the parts were applied one after another. */
function joined(batch: Batch, parts: readonly AppliedBatch[]): AppliedBatch {
  const outcomes = inOne(parts.map((part) => part.outcomes))
  if (batch.kind !== 'request') return { batch, outcomes }
  const requests = parts as readonly AppliedRequests<unknown, unknown>[]
  const answers = inOne(requests.map((part) => part.answers))
  return { batch, outcomes, answers } as AppliedBatch
}

/** `flat` would ask each item whether it is there, and an array. */
const inOne = <T>(lists: readonly (readonly T[])[]): readonly T[] => ([] as T[]).concat(...lists)

/** Another state, of which the pieces come in, behind those of its clients. */
interface Coming<S> {
  state: S
  readonly joiner: Joiner
  readonly reader: ClientsReader
}

const comingTo = <S>(state: S): Coming<S> => ({
  state,
  joiner: new Joiner(),
  reader: new ClientsReader(),
})

/** One after the other; at once, where both can be had at once. */
function both(first: Iterable<unknown>, second: Pieces): Pieces {
  const isAtOnce = Symbol.iterator in second
  return isAtOnce ? inTurn(first, second) : later(first, second)
}

function* inTurn(first: Iterable<unknown>, second: Iterable<unknown>): Generator<unknown> {
  yield* first
  yield* second
}

async function* later(first: Iterable<unknown>, second: AsyncIterable<unknown>) {
  yield* first
  yield* second
}
