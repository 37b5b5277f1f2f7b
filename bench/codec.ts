import { bodyLength, decode, headLength, writeHead } from '../adapters/transport/codec.ts'
import type { Append } from '../lib/messages.ts'
import { packed } from './lib/reducers.ts'
import { list } from './list.ts'
import { figure, type Result } from './report.ts'
import type { Suite } from './suite.ts'
import { perSecond } from './timing.ts'

const ENTRIES = [1, 64, 1024]

export const codec: Suite = {
  name: 'codec',
  about: 'heads of messages that append entries of 64 B: written, and read with every check',
  run: ({ runs, seconds }, _ground, print) => {
    const found = ENTRIES.flatMap((count) => measure(count, runs, seconds / 2))
    print(list(found))
    return Promise.resolve(found)
  },
}

function measure(count: number, runs: number, seconds: number): Result[] {
  const message = append(count)
  const head = new Uint8Array(headLength(message))
  writeHead(message, head, 0)
  const body = message.batches[0]!.bytes
  if (bodyLength(message) !== body.length) throw new Error('the body is not that of the batch')
  const timed = (work: () => void): number[] =>
    Array.from({ length: runs }, () => perSecond(work, seconds))
  const named = { suite: 'codec', case: `append ${count} entries`, unit: 'messages/s' }
  const encoded = timed(() => writeHead(message, new Uint8Array(headLength(message)), 0))
  const decoded = timed(() => {
    if (decode(head, body).type !== 'append') throw new Error('a message was not understood')
  })
  return [
    figure({ ...named, metric: 'encode', values: encoded }),
    figure({ ...named, metric: 'decode', values: decoded }),
  ]
}

const append = (count: number): Append => ({
  ...{ type: 'append', term: 3, prevIndex: 1000, prevTerm: 3, commit: 990 },
  batches: [{ index: 1001, term: 3, kind: 'command', ...packed(count) }],
})
