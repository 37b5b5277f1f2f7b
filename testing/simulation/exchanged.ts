import type { NodeId } from '../../lib/types.ts'
import type { Fault } from './faults.ts'

/** The fault with two servers in each other's place. */
export function exchanged(fault: Fault, one: NodeId, other: NodeId): Fault {
  const of = (id: NodeId): NodeId => (id === one ? other : id === other ? one : id)
  switch (fault.type) {
    case 'heal':
    case 'lose':
    case 'duplicate':
    case 'reorder':
    case 'delay':
    case 'echo':
      return fault
    case 'cut':
    case 'hold':
    case 'release':
      return { ...fault, from: of(fault.from), to: of(fault.to) }
    case 'ring':
      return { ...fault, order: fault.order.map(of) }
    case 'partition':
      return { ...fault, groups: fault.groups.map((group) => group.map(of)) }
    case 'bridge':
      return { ...fault, over: of(fault.over), groups: fault.groups.map((group) => group.map(of)) }
    default:
      return { ...fault, id: of(fault.id) }
  }
}
