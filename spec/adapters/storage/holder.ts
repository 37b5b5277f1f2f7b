import { Subject } from 'rxjs'
import { file } from '../../../adapters/storage/file.ts'
import type { Save } from '../../../lib/storage.ts'
import { batch, save } from './run.ts'

/**
 * A process of its own that opens the directory of its first argument and says how that went. With
 * `stay` it then holds it until it is killed; with `leave` it saves, unsubscribes and has nothing more
 * to do; with `save` it appends without end and says each index that is durable.
 */
const [path, then] = process.argv.slice(2) as [string, 'stay' | 'leave' | 'save']

const save$ = new Subject<Save>()
let sequence = 0
let next = 1
const append = (): void => save$.next(save(++sequence, 1, 'a', batch(next++, 1, [`entry ${next}`])))

const subscription = file(path)(save$).subscribe({
  next: (event) => {
    if (event.type === 'restored') {
      next = event.batches.reduce((sum, { count }) => sum + count, 1)
      console.log('open')
      if (then === 'stay') process.stdin.resume()
      else append()
    } else if (event.type === 'saved') {
      console.log(next - 1)
      if (then === 'leave') subscription.unsubscribe()
      else append()
    }
  },
  error: (error: unknown) => console.log((error as { code: string }).code),
})
