import { mapPayloads, type Batch } from '../../lib/batch.ts'
import { HEADER_BYTES, RequestReader } from '../../lib/sessions.ts'
import { decodingWithin, type Codec } from '../codec.ts'
import type { Commit } from './node.ts'

/** The commands of a batch, in order, whatever became of them: none in a batch that has no commands of an application. */
export function commandsIn<C>(batch: Batch, codec: Codec<C>): Commit<C>[] {
  const { kind, term } = batch
  if (kind !== 'command' && kind !== 'request') return []
  const commits: Commit<C>[] = []
  const decode = decodingWithin(codec)
  const requests = new RequestReader()
  mapPayloads(batch, (bytes, start, end, index) => {
    const request = kind === 'request' ? requests.read(bytes, start, end) : undefined
    // A session is opened without a command.
    if (kind === 'request' && !(request !== undefined && 'session' in request)) return
    const at = kind === 'request' ? start + HEADER_BYTES : start
    commits.push({ index, term, command: decode(bytes, at, end) })
  })
  return commits
}
