import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../change.ts'
import type { Fault } from './fault.ts'

/** Milliseconds between two hand-overs. */
const PAUSE = 300

/** The leadership is handed on and on: to the victims in turn, or to whoever can best. Bites: hand-overs done. */
export const transfer: Fault = async ({ fleet, victims, strength, lasts }) => {
  const end = performance.now() + lasts
  let done = 0
  for (let i = 0; performance.now() < end; i++) {
    const to = strength < 0.7 ? victims[i % victims.length]!.id : undefined
    const body = Buffer.from(JSON.stringify({ to }))
    const server = fleet.servers[i % fleet.servers.length]!
    if ((await ask(server, { method: 'POST', path: '/transfer', body })) === 200) done++
    await sleep(PAUSE)
  }
  return () => done
}
