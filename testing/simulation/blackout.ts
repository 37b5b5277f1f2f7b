import type { Millis, NodeId } from '../../lib/types.ts'
import type { Chance } from './chance.ts'
import type { Fault, FaultEvent } from './faults.ts'

/** The kinds of faults that a blackout takes. */
export const BLACKOUT = ['echo', 'stallDisk', 'loseWrites', 'crash'] as const

/**
 * Faults that belong together, aimed at whoever leads at `start`: the power fails when a minority's disks
 * alone have kept up. Leader and majority come back without their last entries and write others in their
 * place; the minority comes back last, but what it had acknowledged is repeated in between.
 */
export function blackout(
  chance: Chance,
  ids: readonly NodeId[],
  start: Millis,
  longest: Millis,
  number: number,
): readonly FaultEvent[] {
  const order = chance.shuffle(ids)
  const ahead = order.slice(0, (ids.length - 1) >> 1)
  const behind = order.slice(ahead.length)
  const failure = start + chance.between(0.02, 0.4) * longest
  const dawn = failure + chance.between(0, 0.05) * longest
  const end = dawn + chance.between(0.1, 0.7) * longest
  const all = (at: Millis, among: readonly NodeId[], fault: (id: NodeId) => Fault): FaultEvent[] =>
    among.map((id) => ({ ...fault(id), at, aim: { as: behind[0]!, number } }))
  return [
    { type: 'echo', rate: 1, ms: end - failure, at: start },
    ...all(start, behind, (id) => ({ type: 'stallDisk', id })),
    ...all(failure, behind, (id) => ({ type: 'loseWrites', id })),
    ...all(failure, ahead, (id) => ({ type: 'crash', id })),
    { type: 'echo', rate: 0, ms: 0, at: failure },
    ...all(dawn, behind, (id) => ({ type: 'unstallDisk', id })),
    ...all(dawn, behind, (id) => ({ type: 'restart', id })),
    ...all(end, ahead, (id) => ({ type: 'restart', id })),
  ]
}
