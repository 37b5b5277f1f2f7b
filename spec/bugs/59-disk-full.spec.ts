import {
  catchError,
  EMPTY,
  filter,
  firstValueFrom,
  retry,
  Subject,
  switchMap,
  take,
  tap,
  type Observable,
} from 'rxjs'
import { describe, expect, it } from 'vitest'
import { fileStorage } from '../../adapters/storage/file/storage.ts'
import { StorageError } from '../../lib/errors.ts'
import type { RaftNode, Trace } from '../../operators/engine/node.ts'
import { raft$ } from '../../operators/engine/raft.ts'
import { temporaryDirectories } from '../adapters/storage/directories.ts'
import { faulty } from '../adapters/storage/faulty.ts'

const directory = temporaryDirectories()

type Counter = RaftNode<number, number>

const proposed = (node: Counter, by: number): Promise<number> =>
  new Promise((resolve, reject) => node.submit(by, { applied: resolve, failed: reject }))

const leading = async (node: Counter): Promise<Counter> => {
  await firstValueFrom(node.role$.pipe(switchMap(({ role }) => (role === 'leader' ? [1] : []))))
  return node
}

describe('a disk that is full for a while', () => {
  it('stops the node, and a supervised one serves again in the same process once there is space [bug 59][F20]', async () => {
    let isFull = false
    const files = faulty((change) => (isFull && change === 'write' ? 'fails' : 'works'), {
      code: 'ENOSPC',
    })
    const space$ = new Subject<void>()
    const again$ = new Subject<unknown>()
    const supervised$: Observable<Counter> = raft$({
      id: 'a',
      machine: { initial: 0, apply: (sum: number, by: number) => [sum + by, sum + by] as const },
      storage: fileStorage(files, directory(), 1 << 16),
      electionTimeout: [2, 4],
      heartbeat: 1,
    }).pipe(
      retry({
        delay: (error) => {
          again$.next(error)
          return space$.pipe(take(1))
        },
      }),
    )
    const nodes: Counter[] = []
    const trace$ = new Subject<Trace>()
    const running = supervised$
      .pipe(
        tap((node) => nodes.push(node)),
        switchMap((node) => node.trace$.pipe(catchError(() => EMPTY))),
      )
      .subscribe(trace$)
    expect(await proposed(await leading(nodes[0]!), 1)).toBe(1)

    isFull = true
    const stopped = firstValueFrom(again$)
    await expect(proposed(nodes[0]!, 10)).rejects.toMatchObject({ code: 'stopped' })
    expect(await stopped).toBeInstanceOf(StorageError)
    const isWaiting = firstValueFrom(
      trace$.pipe(filter((trace) => trace.type === 'notice' && trace.code === 'no-space')),
    )
    space$.next()
    await isWaiting
    isFull = false
    expect(nodes).toHaveLength(2)
    const sum = await proposed(await leading(nodes[1]!), 100)
    // What was being written when the disk was full may have reached it.
    expect([101, 111]).toContain(sum)
    running.unsubscribe()
  })
})
