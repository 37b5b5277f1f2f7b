import { concat, ignoreElements, Observable, of, type OperatorFunction } from 'rxjs'
import type { DiskFact, DiskRequest, Restored } from '../../lib/storage.ts'
import type { Storage, Transport } from '../adapters.ts'

const nothing: Restored = { type: 'restored', term: 0, vote: undefined, batches: [] }

/** The disk of a node that has none: it promises at once and remembers nothing. */
export const volatile: Storage = (requests) => concat(of(nothing), requests.pipe(answers))

const answers: OperatorFunction<DiskRequest, DiskFact> = (requests) =>
  new Observable((subscriber) =>
    requests.subscribe({
      next: (request) => {
        const fact = answerTo(request)
        if (fact !== undefined) subscriber.next(fact)
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    }),
  )

function answerTo(request: DiskRequest): DiskFact | undefined {
  switch (request.type) {
    case 'save':
      return { type: 'saved', sequence: request.sequence, term: request.term }
    case 'writeChunk': {
      const { mark, offset, bytes, isLast } = request
      return { type: 'chunkWritten', index: mark.index, end: offset + bytes.length, isLast }
    }
    case 'readChunk': {
      const { reader, index, offset } = request
      const bytes = undefined
      return { type: 'chunkRead', reader, index, offset, bytes, isLast: false, checksum: undefined }
    }
    case 'forget':
      return undefined
  }
}

/** The network of a node that has no peers. */
export const silent: Transport = (outbound) => outbound.pipe(ignoreElements())
