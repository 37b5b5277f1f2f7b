import { unpack, type Batch } from '../../lib/batch.ts'
import type { AppliedBatch } from '../../lib/turn.ts'
import type { Codec } from '../codec.ts'
import type { Machine } from '../machine.ts'
import type { Applied } from './node.ts'

/** The state machine with its present state: the one thing in a node that changes in place. */
export interface Application<Q, A> {
  /** Applies the commands of a committed batch in order. A command that throws changes nothing. */
  readonly apply: (batch: Batch) => AppliedBatch
  /** Asks the present state. Throws what the machine throws. */
  readonly query: (question: Q) => A
}

export function application<S, C, R, Q, A>(
  machine: Machine<S, C, R, Q, A>,
  codec: Codec<C>,
): Application<Q, A> {
  let state = machine.initial

  const applyOne = (payload: Uint8Array, index: number, term: number): Applied<C, R> => {
    const command = codec.decode(payload)
    try {
      const [next, result] = machine.apply(state, command, { index, term })
      state = next
      return { index, term, command, ok: true, result }
    } catch (error) {
      return { index, term, command, ok: false, error }
    }
  }

  return {
    apply: (batch) => {
      const { index, term, kind } = batch
      if (kind === 'noop') return { batch, outcomes: [] }
      return { batch, outcomes: unpack(batch).map((bytes, i) => applyOne(bytes, index + i, term)) }
    },
    query: (question) => {
      if (machine.query === undefined)
        throw new TypeError('the state machine has no query function')
      return machine.query(state, question)
    },
  }
}
