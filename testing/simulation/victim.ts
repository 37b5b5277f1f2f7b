import type { NodeId } from '../../lib/types.ts'
import type { Chance } from './chance.ts'
import type { Fault } from './faults.ts'

/** The server that a fault strikes first of all: `undefined` when it strikes all of them alike. */
export function victimOf(chance: Chance, fault: Fault): NodeId | undefined {
  switch (fault.type) {
    case 'heal':
    case 'lose':
    case 'duplicate':
    case 'reorder':
    case 'delay':
    case 'echo':
    case 'ring':
      return undefined
    case 'cut':
    case 'hold':
    case 'release':
      return chance.is(0.5) ? fault.from : fault.to
    case 'bridge':
      return fault.over
    case 'partition': {
      const [smallest] = [...fault.groups].sort((one, other) => one.length - other.length)
      return smallest?.[0]
    }
    default:
      return fault.id
  }
}
