import { map, merge, timer, type Observable, type SchedulerLike } from 'rxjs'
import type { Millis, NodeId } from '../../lib/types.ts'
import { Chance } from './chance.ts'
import type { Fault, FaultEvent } from './faults.ts'
import { BLACKOUT, blackout } from './blackout.ts'
import { draw, type Trouble } from './trouble.ts'
import { victimOf } from './victim.ts'

export interface ChaosOptions {
  /** The servers. */
  readonly ids: readonly NodeId[]
  /** Virtual ms after which nothing begins or ends any more. */
  readonly duration: Millis
  /** What may happen. Default: everything that a cluster must survive, which is all but `wipeDisk`. */
  readonly kinds?: readonly Trouble[]
  /** One trouble begins each so many virtual ms, on average. Default: drawn, 100 to 1,500. */
  readonly every?: Millis
  /** No trouble lasts longer than so many virtual ms, or but a little. Default 3,000. */
  readonly longest?: Millis
  /** Which part of the troubles strikes whoever leads at its time, 0 to 1. Default: drawn. */
  readonly aim?: number
  /** How much faster the fastest clock may run than the slowest, as a share. Default 3: half as fast to twice as fast. */
  readonly drift?: number
  /** Which part of the troubles comes several times on end, 0 to 1. Default: drawn, up to a half. */
  readonly volleys?: number
  /**
   * Which part of the troubles is a whole blackout, 0 to 1: see `blackout.ts`. Default: drawn, up to a tenth; none
   * where not all that it takes is among `kinds`.
   */
  readonly blackouts?: number
}

/** All that a cluster must survive. */
export const survivable: readonly Trouble[] = [
  ...(['cut', 'partition', 'bridge', 'ring', 'lose', 'duplicate', 'reorder'] as const),
  ...(['delay', 'echo', 'hold'] as const),
  ...(['crash', 'pause', 'jump', 'drift'] as const),
  ...(['slowDisk', 'stallDisk', 'failFsync', 'tearWrite', 'loseWrites', 'flipBit'] as const),
  ...(['fillDisk', 'runShort', 'tearSnapshot', 'garbleChunk', 'flipSnapshot'] as const),
]

/** No schedule may keep a disk from coming back more often than now and then: its server is gone for good. */
const RARE: Partial<Record<Trouble, number>> = {
  flipBit: 0.05,
  flipSnapshot: 0.1,
  wipeDisk: 0.05,
}

/**
 * A schedule of faults drawn from a seed, in the order of time. Each seed has its own taste: some kinds it
 * leaves out, and it is busy or lazy.
 */
export function chaosSchedule(seed: number, options: ChaosOptions): readonly FaultEvent[] {
  const { ids, duration, kinds = survivable, longest = 3_000, drift } = options
  const chance = new Chance(seed, 'chaos')
  const liked = kinds.filter(() => chance.is(0.7))
  const chosen = liked.length > 0 ? liked : kinds
  const every = options.every ?? 100 * 15 ** chance.next()
  const { aim = chance.next(), volleys = chance.next() / 2 } = options
  const { blackouts = chance.next() / 10 } = options
  const events: FaultEvent[] = []
  let number = 0
  const isBlackoutPossible = BLACKOUT.every((kind) => kinds.includes(kind))
  const begin = (trouble: Trouble, start: Millis): void => {
    const [first, ...end] = draw(chance, ids, trouble, longest, drift)
    const as = victimOf(chance, first)
    const aimed = as !== undefined && chance.is(aim) ? { aim: { as, number: number++ } } : {}
    const stop = start + chance.between(0, 1) ** 2 * longest + 20
    events.push({ ...first, ...aimed, at: start })
    events.push(...end.map((fault) => ({ ...fault, ...aimed, at: stop })))
  }
  for (let at = next(chance, every); at < duration; at += next(chance, every)) {
    if (isBlackoutPossible && chance.is(blackouts)) {
      events.push(...blackout(chance, ids, at, longest, number++))
      continue
    }
    const trouble = chance.pick(chosen)
    if (!chance.is(RARE[trouble] ?? 1)) continue
    const times = chance.is(volleys) ? chance.whole(2, 5) : 1
    const pace = chance.between(20, 700)
    for (let i = 0; i < times; i++) begin(trouble, at + i * pace)
  }
  return events.filter(({ at }) => at < duration).sort((a, b) => a.at - b.at)
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
