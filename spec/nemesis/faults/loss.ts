import { atRandom, drop } from '../firewall.ts'
import { all, type Fault } from './fault.ts'

/** The share of packets that is lost: TCP still gets through the least, and hardly the most. */
const SHARE: readonly [min: number, max: number] = [0.03, 0.4]

/** Of what comes to the victims, from whomever, a part is lost. Bites: packets dropped. */
export const loss: Fault = ({ victims, strength }) => {
  const [min, max] = SHARE
  const match = atRandom(min + strength * (max - min))
  return all(victims.map(({ site }) => drop(site, [match])))
}
