import { map, merge, timer, type Observable, type SchedulerLike } from 'rxjs'
import type { Millis, NodeId } from '../../lib/types.ts'
import { Chance } from './chance.ts'
import type { Fault, FaultEvent } from './faults.ts'
import { draw, type Trouble } from './trouble.ts'

export interface ChaosOptions {
  /** The servers. */
  readonly ids: readonly NodeId[]
  /** Virtual ms after which nothing begins or ends any more. */
  readonly duration: Millis
  /** What may happen. Default: everything that a cluster must survive, which is all but `wipeDisk`. */
  readonly kinds?: readonly Trouble[]
  /** One trouble begins each so many virtual ms, on average. Default: drawn, 100 to 1,500. */
  readonly every?: Millis
}

/** All that a cluster must survive. */
export const survivable: readonly Trouble[] = [
  ...(['cut', 'partition', 'bridge', 'ring', 'lose', 'duplicate', 'reorder', 'delay'] as const),
  ...(['crash', 'pause', 'jump', 'drift'] as const),
  ...(['slowDisk', 'stallDisk', 'failFsync', 'tearWrite', 'loseWrites', 'flipBit'] as const),
  'fillDisk',
]

/** No schedule may keep a disk from coming back more often than now and then: its server is gone for good. */
const RARE: Partial<Record<Trouble, number>> = { flipBit: 0.05, wipeDisk: 0.05 }

/**
 * A schedule of faults drawn from a seed, in the order of time. Each seed has its own taste: some kinds it
 * leaves out, and it is busy or lazy.
 */
export function chaosSchedule(seed: number, options: ChaosOptions): readonly FaultEvent[] {
  const { ids, duration, kinds = survivable } = options
  const chance = new Chance(seed, 'chaos')
  const liked = kinds.filter(() => chance.is(0.7))
  const chosen = liked.length > 0 ? liked : kinds
  const every = options.every ?? 100 * 15 ** chance.next()
  const events: FaultEvent[] = []
  for (let at = next(chance, every); at < duration; at += next(chance, every)) {
    const trouble = chance.pick(chosen)
    if (!chance.is(RARE[trouble] ?? 1)) continue
    const length = chance.between(0, 1) ** 2 * 3_000 + 20
    const [begin, ...end] = draw(chance, ids, trouble)
    events.push({ ...begin, at })
    if (at + length < duration) events.push(...end.map((fault) => ({ ...fault, at: at + length })))
  }
  return events.sort((a, b) => a.at - b.at)
}

/** The same as a stream, which starts when it is subscribed to. */
export const chaos = (
  seed: number,
  options: ChaosOptions,
  scheduler: SchedulerLike,
): Observable<Fault> => scheduled(chaosSchedule(seed, options), scheduler)

/** A schedule as a stream: each fault at its time after the subscription. */
export const scheduled = (
  schedule: readonly FaultEvent[],
  scheduler: SchedulerLike,
): Observable<Fault> =>
  merge(...schedule.map((event) => timer(event.at, scheduler).pipe(map(() => event))))

const next = (chance: Chance, every: Millis): Millis => -Math.log(1 - chance.next()) * every
