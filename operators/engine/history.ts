import { lastIndexOf } from '../../lib/batch.ts'
import { Compacted, ConfigError, NoState } from '../../lib/errors.ts'
import { read } from '../../lib/log.ts'
import { leaderOf, type State } from '../../lib/state.ts'
import type { Index } from '../../lib/types.ts'
import { lacksState } from '../../lib/witnesses.ts'
import type { Codec } from '../codec.ts'
import { commandsIn } from './commandsIn.ts'
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
      commits.push(...commandsIn(batch, codec).filter(({ index }) => !repeats.has(index)))
    }
  }
  return commits
}
