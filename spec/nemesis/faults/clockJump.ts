import type { Server } from '../server.ts'
import { standingOf } from '../standing.ts'
import type { Fault } from './fault.ts'

/** As libfaketime reads it, for the wall clock only: an hour ahead, two back, a year, or ten times as fast. */
const JUMPS = ['+3600', '-7200', '+31536000', '+600 x10'] as const

/** A clock is off when it shows so many ms more or less than it should: it is told to the second. */
const OFF = 10_000

/** The wall clock jumps, and back when it is over. Bites: servers whose answers then bore a wrong date. */
export const clockJump: Fault = ({ victims, strength }) => {
  const jump = JUMPS[Math.floor(strength * JUMPS.length)]!
  for (const { strings } of victims) strings.setClock(jump)
  return async () => {
    const off = await Promise.all(victims.map(isOff))
    for (const { strings } of victims) strings.setClock('+0')
    return off.filter(Boolean).length
  }
}

/** A busy server may need to be asked more than once. */
const ATTEMPTS = 4

async function isOff(server: Server): Promise<boolean> {
  for (let i = 0; i < ATTEMPTS; i++) {
    const standing = await standingOf(server)
    if (standing !== undefined) return Math.abs(standing.clock - Date.now()) > OFF
  }
  return false
}
