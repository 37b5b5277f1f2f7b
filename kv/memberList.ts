import type { Members, NodeId } from 'rxraft'
import { placeOf } from './addresses.ts'

/** A server of the cluster, as JSON tells of it. Where it is is left out when nobody knows. */
export interface Listed {
  readonly id: NodeId
  /**
   * `witness`: it votes, and keeps no data. `leaving`: the voters change, and it is among the old ones only.
   */
  readonly role: 'voter' | 'witness' | 'learner' | 'leaving'
  readonly peer?: string
  readonly http?: string
  /** Above 0: it leads rather than those with less. */
  readonly priority?: number
}

export function listedMembers(members: Members): Listed[] {
  const { voters, learners, outgoing, priorities = {} } = members
  const ids = [...new Set([...voters, ...learners, ...outgoing])].sort()
  return ids.map((id) => ({
    ...{ id, role: roleOf(members, id), ...placeOf(members, id) },
    ...(Object.hasOwn(priorities, id) && { priority: priorities[id]! }),
  }))
}

function roleOf({ voters, learners, witnesses }: Members, id: NodeId): Listed['role'] {
  if (voters.includes(id)) return witnesses.includes(id) ? 'witness' : 'voter'
  return learners.includes(id) ? 'learner' : 'leaving'
}
