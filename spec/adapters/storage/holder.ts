import { Subject } from 'rxjs'
import { file } from '../../../adapters/storage/file.ts'
import type { DiskRequest, Restored, WriteChunk } from '../../../lib/storage.ts'
import { chunksOf, mark, someBytes } from './chunks.ts'
import { batch, save } from './run.ts'

/**
 * A process of its own that opens the directory of its first argument and says how that went. With
 * `stay` it then holds it until it is killed; with `leave` it saves, unsubscribes and has nothing more
 * to do; with `save` it appends without end and says each index that is durable. With `compact` it also
 * takes one snapshot after the other, forgets what each stands for, and says `snapshot` and its index.
 */
const [path, then] = process.argv.slice(2) as [string, 'stay' | 'leave' | 'save' | 'compact']

const request$ = new Subject<DiskRequest>()
const filler = then === 'compact' ? 'x'.repeat(2000) : ''
let sequence = 0
let next = 1
const append = (): void => {
  request$.next(save(++sequence, 1, 'a', batch(next++, 1, [`entry ${next}${filler}`])))
}

/** Chunks of a snapshot that are not written yet. */
let chunks: WriteChunk[] = []
const compact = (index: number): void => {
  chunks = chunksOf(mark(index, 1), someBytes(1_500_000, index))
  request$.next(chunks.shift()!)
}

const after = ({ batches, snapshot }: Restored): number => {
  const last = batches.at(-1)
  return 1 + (last === undefined ? (snapshot?.index ?? 0) : last.index + last.count - 1)
}

const options = then === 'compact' ? { segmentSize: 16 << 10 } : {}
const subscription = file(
  path,
  options,
)(request$).subscribe({
  next: (event) => {
    if (event.type === 'restored') {
      next = after(event)
      console.log('open')
      if (then === 'stay') process.stdin.resume()
      else append()
    } else if (event.type === 'saved') {
      console.log(next - 1)
      if (then === 'leave') subscription.unsubscribe()
      else append()
      if (then === 'compact' && sequence === 2) compact(next - 2)
    } else if (event.type === 'chunkWritten') {
      if (!event.isLast) request$.next(chunks.shift()!)
      else {
        console.log(`snapshot ${event.index}`)
        request$.next({ type: 'forget', before: event.index - 1 })
        compact(next - 2)
      }
    }
  },
  error: (error: unknown) => console.log((error as { code: string }).code),
})
