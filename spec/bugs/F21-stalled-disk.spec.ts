import { filter, firstValueFrom, map, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { nodeFileSystem, type FileSystem } from '../../adapters/storage/file/filesystem.ts'
import { fileStorage } from '../../adapters/storage/file/storage.ts'
import type { NodeId } from '../../lib/types.ts'
import { cluster } from '../../testing/index.ts'
import { temporaryDirectories } from '../adapters/storage/directories.ts'

const directory = temporaryDirectories()

/** The real files, whose writes and syncs do not come back while they hang. */
class Hanging {
  #waiting: (() => void)[] | undefined

  readonly files: FileSystem = {
    ...nodeFileSystem,
    write: (...args) => this.#pass(() => nodeFileSystem.write(...args)),
    datasync: (...args) => this.#pass(() => nodeFileSystem.datasync(...args)),
  }

  hang(): void {
    this.#waiting = []
  }

  goOn(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const call of waiting) call()
  }

  #pass(call: () => void): void {
    if (this.#waiting === undefined) call()
    else this.#waiting.push(call)
  }
}

const first = <T>(source$: Observable<T>, holds: (value: T) => boolean): Promise<T> =>
  firstValueFrom(source$.pipe(filter(holds)))

describe('a real disk that hangs', () => {
  it('under a leader: another one leads, and the server serves again when it goes on [F21]', async () => {
    const disks: Record<NodeId, Hanging> = {}
    const servers = cluster({
      ids: ['a', 'b', 'c'],
      machine: { initial: 0, apply: (sum: number, by: number) => [sum + by, sum + by] as const },
      storage: (id) => fileStorage((disks[id] = new Hanging()).files, directory(), 1 << 16),
      diskStall: 300,
    })
    const running = servers.connect()
    const proposed = (id: NodeId, by: number): Promise<number> =>
      new Promise((resolve, reject) =>
        servers.node(id).submit(by, { applied: resolve, failed: reject }),
      )
    const [old] = await first(servers.leaders$, ({ length }) => length === 1)
    expect(await proposed(old!, 1)).toBe(1)

    disks[old!]!.hang()
    expect(await proposed(old!, 10)).toBe(11)
    const [next] = await first(servers.leaders$, (them) => them.length === 1 && them[0] !== old)
    expect(await proposed(next!, 100)).toBe(111)

    disks[old!]!.goOn()
    await proposed(next!, 1000)
    const applied$ = servers.watch(old!, (node) => node.status$).pipe(map((it) => it.appliedIndex))
    const { commitIndex } = await firstValueFrom(servers.node(next!).status$)
    await first(applied$, (index) => index >= commitIndex)
    running.unsubscribe()
  })
})
