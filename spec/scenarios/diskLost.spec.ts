import { filter, map, takeUntil, tap, timer, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { memory, memoryDisk, type MemoryDisk } from '../../adapters/storage/memory.ts'
import { latency } from '../../adapters/transport/memory.ts'
import { DiskLost } from '../../lib/errors.ts'
import type { Save } from '../../lib/storage.ts'
import type { NodeId } from '../../lib/types.ts'
import type { Storage } from '../../operators/adapters.ts'
import { cluster, type Failure } from '../../testing/index.ts'
import { journal } from './support.ts'

/** A disk that can be emptied, and put back to what it was after some saves. */
class Changeable {
  saves: readonly Save[] = []
  #disk: MemoryDisk = memoryDisk()

  /** Each life of the server finds the disk that is there then. */
  readonly storage: Storage = (requests) =>
    requests.pipe(
      tap((request) => {
        if (request.type === 'save') this.saves = [...this.saves, request]
      }),
      memory(this.#now()),
    )

  replace(saves: readonly Save[]): void {
    this.saves = saves
    this.#disk = memoryDisk()
    for (const save of saves) this.#disk.write(save)
  }

  #now(): MemoryDisk {
    return {
      read: () => this.#disk.read(),
      write: (save) => this.#disk.write(save),
      forget: (before) => this.#disk.forget(before),
      get snapshot() {
        return undefined
      },
      set snapshot(_) {
        throw new Error('no snapshots here')
      },
    }
  }
}

/** A word each 5 ms; b's disk is changed while b is down, from 200 to 220 ms. Who stopped by itself, and who leads? */
function run(change: (disk: Changeable, early: readonly Save[]) => void, seed: number) {
  const scheduler = new VirtualTimeScheduler()
  const disks = new Map<NodeId, Changeable>()
  const failures: Failure[] = []
  const down = { id: '' }
  const early = { saves: [] as readonly Save[] }
  const at = (ms: number) => timer(ms, scheduler)
  const servers = cluster({
    ids: ['a', 'b', 'c'],
    machine: journal,
    electionTimeout: [10, 20],
    heartbeat: 4,
    link: () => latency(1, scheduler),
    scheduler,
    seed,
    storage: (id) => {
      const disk = new Changeable()
      disks.set(id, disk)
      return disk.storage
    },
    crash$: at(200).pipe(map(() => down.id)),
    restart$: at(220).pipe(map(() => down.id)),
  })
  let leader: NodeId | undefined
  servers.leaders$.subscribe(([first]) => (leader = first ?? leader))
  servers.failures$.subscribe((failure) => failures.push(failure))
  const settle = { applied: () => undefined, failed: () => undefined }
  timer(60, 5, scheduler)
    .pipe(
      filter(() => leader !== undefined),
      takeUntil(at(400)),
    )
    .subscribe((i) => servers.node(leader!).submit(String(i), settle))
  at(120).subscribe(() => {
    down.id = servers.ids.find((id) => id !== leader)!
    early.saves = disks.get(down.id)!.saves
  })
  at(210).subscribe(() => change(disks.get(down.id)!, early.saves))
  servers.connect(at(400))
  scheduler.flush()
  const left = servers.ids.filter((id) => failures.every((failure) => failure.id !== id))
  const written = left.map((id) => servers.node(id).history(1).length)
  return { failures, down: down.id, written }
}

describe('a server that comes back', () => {
  const seeds = Array.from({ length: 8 }, (_, i) => i + 1)

  it.each(seeds)(
    'on an empty disk stops, and names the remedy; the others go on [F23] (seed %i)',
    (seed) => {
      const { failures, down, written } = run((disk) => disk.replace([]), seed)
      expect(failures).toMatchObject([
        { id: down, error: { code: 'disk-lost', id: down, lastIndex: 0 } },
      ])
      expect(failures[0]!.error).toBeInstanceOf(DiskLost)
      expect(Math.min(...written)).toBeGreaterThan(50)
    },
  )

  it.each(seeds)('on an old copy of its disk stops likewise [F24] (seed %i)', (seed) => {
    const { failures, down } = run((disk, early) => disk.replace(early), seed)
    expect(failures).toMatchObject([{ id: down, error: { code: 'disk-lost', id: down } }])
    const { index, lastIndex } = failures[0]!.error as DiskLost
    expect(lastIndex).toBeGreaterThan(1)
    expect(index).toBeGreaterThan(lastIndex)
  })

  it.each(seeds)('on its own disk goes on (seed %i)', (seed) => {
    const { failures, written } = run(() => undefined, seed)
    expect(failures).toEqual([])
    expect(Math.min(...written)).toBeGreaterThan(50)
  })
})
