import { lastIndexOf, unpack, type Batch } from '../../lib/batch.ts'
import { Compacted, ConfigError, NoState } from '../../lib/errors.ts'
import { read } from '../../lib/log.ts'
import { readRequested } from '../../lib/sessions.ts'
import { leaderOf, type State } from '../../lib/state.ts'
import type { Index } from '../../lib/types.ts'
import { lacksState } from '../../lib/witnesses.ts'
import type { Codec } from '../codec.ts'
import type { Commit } from './node.ts'
import { Repeats } from './repeats.ts'

/** Applied commands from `from` on, each once, at most `limit`; none only when there are no more. */
export function history<C>(
  state: State,
  codec: Codec<C>,
  from: Index,
  limit = 1000,
  repeats: Pick<Repeats, 'base' | 'has'> = new Repeats(),
): Commit<C>[] {
  if (!(Number.isSafeInteger(from) && from >= 1)) {
    throw new ConfigError('from', from, 'a whole number, at least 1')
  }
  if (lacksState(state)) throw new NoState(leaderOf(state))
  const { log, appliedIndex } = state
  const base = Math.max(log.base.index, repeats.base)
  if (from <= base) throw new Compacted(from, base + 1)
  const commits: Commit<C>[] = []
  for (let next = from; next <= appliedIndex && commits.length < limit;) {
    const to = Math.min(appliedIndex, next + limit - commits.length - 1)
    for (const batch of read(log, next, to)) {
      next = lastIndexOf(batch) + 1
      for (const { index, bytes } of commandsIn(batch)) {
        if (!repeats.has(index))
          commits.push({ index, term: batch.term, command: codec.decode(bytes) })
      }
    }
  }
  return commits
}

/** The encoded commands of a batch, with their places. */
function commandsIn(batch: Batch): { readonly index: Index; readonly bytes: Uint8Array }[] {
  if (batch.kind !== 'command' && batch.kind !== 'request') return []
  return unpack(batch).flatMap((bytes, i) => {
    const index = batch.index + i
    if (batch.kind === 'command') return [{ index, bytes }]
    const requested = readRequested(bytes)
    return requested?.type === 'request' ? [{ index, bytes: requested.command }] : []
  })
}
