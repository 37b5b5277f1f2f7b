import { lastIndexOf, unpack } from '../../lib/batch.ts'
import { ConfigError } from '../../lib/errors.ts'
import { read } from '../../lib/log.ts'
import type { State } from '../../lib/state.ts'
import type { Index } from '../../lib/types.ts'
import type { Codec } from '../codec.ts'
import type { Commit } from './node.ts'

/** Applied commands from `from` on, at most `limit`; none only when there are no more. */
export function history<C>(
  { log, appliedIndex }: State,
  codec: Codec<C>,
  from: Index,
  limit = 1000,
): Commit<C>[] {
  if (!(Number.isSafeInteger(from) && from >= 1)) {
    throw new ConfigError('from', from, 'a whole number, at least 1')
  }
  const commits: Commit<C>[] = []
  for (let next = from; next <= appliedIndex && commits.length < limit;) {
    const to = Math.min(appliedIndex, next + limit - commits.length - 1)
    for (const batch of read(log, next, to)) {
      next = lastIndexOf(batch) + 1
      if (batch.kind === 'noop') continue
      const { index, term } = batch
      for (const [i, bytes] of unpack(batch).entries()) {
        commits.push({ index: index + i, term, command: codec.decode(bytes) })
      }
    }
  }
  return commits
}
