import { concat, concatMap, filter, map, pipe, takeUntil, timer } from 'rxjs'
import type { Observable, VirtualTimeScheduler } from 'rxjs'
import { memory } from '../../adapters/storage/memory.ts'
import { duplicate, latency, type Partition } from '../../adapters/transport/memory.ts'
import type { DiskRequest } from '../../lib/storage.ts'
import type { NodeId } from '../../lib/types.ts'

/** So many milliseconds everything fails, and in so many after that nothing does. */
export const WAR = 600
export const PEACE = 1000

interface Theatre {
  readonly ids: readonly NodeId[]
  readonly scheduler: VirtualTimeScheduler
  readonly random: () => number
  /** A server crashes each so many milliseconds. */
  readonly crashEvery: number
}

/**
 * What a `cluster` suffers: lost, doubled and late messages, slow disks, partitions, crashes. A save that
 * is still under way when its server crashes is lost.
 */
export function war({ ids, scheduler, random, crashEvery }: Theatre) {
  const pick = (): NodeId => ids[Math.floor(random() * ids.length)]!
  const isWar = (): boolean => scheduler.now() < WAR
  const every = (ms: number): Observable<number> =>
    timer(50, ms, scheduler).pipe(takeUntil(timer(WAR, scheduler)))
  const split = (i: number): Partition =>
    i % 3 === 2 ? undefined : [ids.filter(() => random() < 0.5)]
  return {
    link: () =>
      pipe(
        filter(() => !isWar() || random() > 0.05),
        duplicate(0.05, random),
        latency(() => 1 + Math.floor(random() * 4), scheduler),
      ),
    storage: () =>
      pipe(
        concatMap((save: DiskRequest) =>
          timer(Math.floor(random() * 3), scheduler).pipe(map(() => save)),
        ),
        memory(),
      ),
    partitions$: concat(every(60).pipe(map(split)), [undefined]),
    crash$: every(crashEvery).pipe(map(pick)),
    restart$: concat(every(25).pipe(map(pick)), ids),
  }
}
