import { VirtualTimeScheduler, type SchedulerLike } from 'rxjs'
import { latency } from '../../adapters/transport/memory.ts'
import { ConfigError } from '../../lib/errors.ts'
import type { NodeId } from '../../lib/types.ts'
import type { Machine } from '../../operators/machine.ts'
import type { ClusterOptions } from '../cluster.ts'
import { clockOfRun } from './clock.ts'

/** What a cluster of a number of servers is told; the rest is filled in so that it can be drawn. */
export type SizedOptions<S, C, R, Q = never, A = never> = Omit<ClusterOptions<S, C, R, Q, A>, 'ids'>

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** The names of `size` servers, the pace of a picture in virtual time, and a machine if none is given. */
export function sized<S, C, R, Q, A>(
  size: number,
  options: Partial<SizedOptions<S, C, R, Q, A>>,
): ClusterOptions<S, C, R, Q, A> {
  if (!(Number.isInteger(size) && size >= 1 && size <= LETTERS.length)) {
    throw new ConfigError('size', size, `a whole number from 1 to ${LETTERS.length}`)
  }
  const ids = [...LETTERS.slice(0, size)]
  const scheduler = options.scheduler ?? clockOfRun()
  const isVirtual = scheduler instanceof VirtualTimeScheduler || scheduler === clockOfRun()
  const drawn = scheduler !== undefined && isVirtual ? pace(ids, scheduler, options.seed) : {}
  return { machine: echo as unknown as Machine<S, C, R, Q, A>, ...drawn, ...options, ids }
}

/**
 * Servers 1 ms apart, whose leader pulses every 3: `a` campaigns after 6 ms of silence, `b` after 8, `c`
 * after 10 and so on, so that nobody is in doubt who is next. With a seed, patience is drawn by chance.
 */
const pace = (ids: readonly NodeId[], scheduler: SchedulerLike, seed: number | undefined) => ({
  electionTimeout: [6, 6 + 2 * ids.length] as const,
  heartbeat: 3,
  link: () => latency(1, scheduler),
  ...(seed === undefined && { random: (id: NodeId) => () => ids.indexOf(id) / ids.length }),
})

/** Remembers nothing: the result of a command is the command. */
const echo: Machine<undefined, unknown, unknown> = {
  initial: undefined,
  apply: (_, command) => [undefined, command],
}
