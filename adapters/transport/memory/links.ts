import {
  asyncScheduler,
  concatMap,
  delay,
  delayWhen,
  filter,
  from,
  map,
  mergeMap,
  of,
  startWith,
  timer,
  withLatestFrom,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs'
import { ConfigError } from '../../../lib/errors.ts'
import type { Envelope } from '../../../lib/messages.ts'

/** What a link between two servers does to what passes through it. Links are combined with `pipe`. */
export type LinkOperator = MonoTypeOperatorFunction<Envelope>

/**
 * Everything takes `ms` milliseconds, or as many as a function says for each envelope; one that takes
 * less overtakes.
 *
 * ```
 * source      ab---c-----
 * latency(3)  ---ab---c--
 * ```
 */
export function latency(
  ms: number | ((envelope: Envelope) => number),
  scheduler: SchedulerLike = asyncScheduler,
): LinkOperator {
  if (typeof ms === 'function') return delayWhen((envelope) => timer(ms(envelope), scheduler))
  if (!(ms >= 0)) throw new ConfigError('ms', ms, 'milliseconds, 0 or more')
  return delay(ms, scheduler)
}

/**
 * Each envelope is lost with this probability.
 *
 * ```
 * source  abcdef
 * loss    a-cd-f
 * ```
 *
 * @param random Numbers from 0 to 1, 1 excluded: one for each envelope.
 */
export function loss(probability: number, random: () => number): LinkOperator {
  checkProbability(probability)
  return filter(() => random() >= probability)
}

/**
 * Each envelope comes twice with this probability.
 *
 * ```
 * source     a--b------c
 * duplicate  a--(bb)---c
 * ```
 */
export function duplicate(probability: number, random: () => number): LinkOperator {
  checkProbability(probability)
  return concatMap((envelope) => (random() < probability ? of(envelope, envelope) : of(envelope)))
}

/**
 * Each envelope takes `extraMs` longer with this probability, and is overtaken by those after it.
 *
 * ```
 * source         ab-c---
 * reorder(…, 3)  -b-ca--     a was held back
 * ```
 */
export function reorder(
  probability: number,
  extraMs: number,
  random: () => number,
  scheduler: SchedulerLike = asyncScheduler,
): LinkOperator {
  checkProbability(probability)
  if (!(extraMs >= 0)) throw new ConfigError('extraMs', extraMs, 'milliseconds, 0 or more')
  return mergeMap((envelope) =>
    random() < probability ? timer(extraMs, scheduler).pipe(map(() => envelope)) : of(envelope),
  )
}

/**
 * Loses everything while the latest value of `cut` is true. The link is whole before the first value.
 *
 * ```
 * cut             --t----f---
 * source          ab--cd---ef
 * cutWhile(cut)   ab-------ef
 * ```
 */
export function cutWhile(cut: ObservableInput<boolean>): LinkOperator {
  return (source) =>
    source.pipe(
      withLatestFrom(from(cut).pipe(startWith(false))),
      filter(([, isCut]) => !isCut),
      map(([envelope]) => envelope),
    )
}

function checkProbability(probability: number): void {
  if (!(probability >= 0 && probability <= 1)) {
    throw new ConfigError('probability', probability, 'a number from 0 to 1')
  }
}
