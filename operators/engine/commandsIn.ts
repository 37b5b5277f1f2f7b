import { mapPayloads, type Batch } from '../../lib/batch.ts'
import { readRequested } from '../../lib/sessions.ts'
import { decodingWithin, type Codec } from '../codec.ts'
import type { Commit } from './node.ts'

/** The commands of a batch, in order, whatever became of them: none in a batch that has no commands of an application. */
export function commandsIn<C>(batch: Batch, codec: Codec<C>): Commit<C>[] {
  const { kind, term } = batch
  if (kind !== 'command' && kind !== 'request') return []
  const commits: Commit<C>[] = []
  const decode = decodingWithin(codec)
  mapPayloads(batch, (bytes, start, end, index) => {
    const at = kind === 'command' ? start : commandAt(bytes, start, end)
    if (at !== undefined) commits.push({ index, term, command: decode(bytes, at, end) })
  })
  return commits
}

/** Where the command of a request begins; a session is opened without one. */
function commandAt(bytes: Uint8Array, start: number, end: number): number | undefined {
  const requested = readRequested(bytes, start, end)
  return requested?.type === 'request' ? requested.at : undefined
}
