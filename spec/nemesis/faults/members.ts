import { isVoter, promote, remove as leave, voting } from '../change.ts'
import type { Fleet } from '../fleet.ts'
import type { Server } from '../server.ts'
import type { Fault, Lift } from './fault.ts'

/** Milliseconds that a removed server is left alone, at most: it should stop by itself. */
const LINGERS = 3_000

const nothing: Lift = () => 0

/** How many of them vote when the time is over; the others are waited for all the same. */
const voters =
  (fleet: Fleet, servers: readonly Server[]): Lift =>
  () =>
    servers.filter((server) => isVoter(fleet, server)).length

/** A new server comes, under a new name and on an empty disk. Bites: servers that vote in time. */
export const join: Fault = ({ fleet }) => {
  const server = fleet.takeIn()
  if (server === undefined) return nothing
  void fleet.begin(voting(fleet, server))
  return voters(fleet, [server])
}

/** A new server comes to listen only, and is given a vote later. Bites: servers that vote in time. */
export const learner: Fault = ({ fleet }) => {
  const server = fleet.takeIn('--learner')
  if (server === undefined) return nothing
  void fleet.begin(promote(fleet, server))
  return voters(fleet, [server])
}

/** Servers have to leave, and go on running for a while if they will. Bites: servers out in time. */
export const remove: Fault = ({ fleet, victims, strength }) => {
  const leaving = victims.filter((server) => fleet.release(server))
  for (const server of leaving) void fleet.begin(leave(fleet, server, strength * LINGERS))
  return () => leaving.filter(({ id }) => fleet.memberships.roleOf(id) === 'gone').length
}

/**
 * A new server comes, and then an old one has to leave: one that runs, or one that has died for good.
 * Bites: servers replaced in time.
 */
export const replace: Fault = async ({ fleet, victims, strength }) => {
  const old = victims[0]!
  const young = isVoter(fleet, old) ? fleet.takeIn() : undefined
  if (young === undefined) return nothing
  const isDead = strength < 0.5
  const release = isDead ? old.hold() : () => undefined
  if (isDead) await old.kill()
  const replaced = async (): Promise<void> => {
    await voting(fleet, young)
    if (fleet.release(old)) await leave(fleet, old, strength * LINGERS)
    else release()
  }
  void fleet.begin(replaced())
  return () => (fleet.memberships.roleOf(old.id) === 'gone' ? 1 : 0)
}

/**
 * A server has to leave and comes again: at the same place, with an empty disk and under a new name.
 * Bites: servers that vote again in time.
 */
export const rejoin: Fault = ({ fleet, victims }) => {
  const old = victims[0]!
  if (!fleet.release(old)) return nothing
  let young: Server | undefined
  const again = async (): Promise<void> => {
    await leave(fleet, old, 0)
    young = fleet.takeIn()
    if (young !== undefined) await voting(fleet, young)
  }
  void fleet.begin(again())
  return () => (young !== undefined && isVoter(fleet, young) ? 1 : 0)
}
