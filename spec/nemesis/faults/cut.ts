import { drop, from } from '../firewall.ts'
import type { Server } from '../server.ts'
import { all, type Fault } from './fault.ts'

/** The victims and the others hear nothing of each other; clients reach both. Bites: packets dropped. */
export const cut: Fault = ({ victims, others }) =>
  all([...deafen(victims, others), ...deafen(others, victims)])

/** Either the victims hear nothing of the others, or the others nothing of them. Bites: packets dropped. */
export const oneWayCut: Fault = ({ victims, others, strength }) =>
  all(strength < 0.5 ? deafen(victims, others) : deafen(others, victims))

function deafen(hearers: readonly Server[], speakers: readonly Server[]): (() => number)[] {
  const matches = speakers.map(({ site }) => from(site))
  return hearers.map(({ site }) => drop(site, matches))
}
