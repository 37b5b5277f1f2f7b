import type { Role } from '../../lib/state.ts'
import type { NodeId, Term } from '../../lib/types.ts'
import type { Waypoint } from './explore.ts'

/** Whether a server leads in a term. */
export const leads = (id: NodeId, term: Term): Waypoint => is(id, 'leader', term)

export function is(id: NodeId, role: Role['type'], term: Term): Waypoint {
  return ({ locals }) =>
    locals.some(
      ({ server: { id: name, state } }) =>
        name === id && state.role.type === role && state.term === term,
    )
}

export function commits(id: NodeId, index: number): Waypoint {
  return ({ locals }) =>
    locals.some(({ server }) => server.id === id && server.state.commitIndex >= index)
}

export function holds(id: NodeId, index: number): Waypoint {
  return ({ locals }) =>
    locals.some(({ server }) => server.id === id && server.state.log.lastIndex >= index)
}

export function both(first: Waypoint, second: Waypoint): Waypoint {
  return (cluster) => first(cluster) && second(cluster)
}

/** Whether an acknowledgement is under way. */
export const isAcknowledged: Waypoint = ({ letters }) =>
  letters.some(({ envelope }) => envelope.message.type === 'appended')

/** Whether the first server, which alone has led, has forgotten it. */
export const hasForgotten: Waypoint = ({ locals }) => locals[0]?.server.state.log.lastIndex === 0
