import { setTimeout as sleep } from 'node:timers/promises'
import { fill } from '../disk.ts'
import type { Server } from '../server.ts'
import { put } from '../store.ts'
import type { Fault } from './fault.ts'

/**
 * All room on the disk is taken. The log has its next segment in reserve, so that nothing would be
 * noticed for long: so the server is either killed and started on the full disk, or large values are
 * written until the reserve is used up. Bites: processes that ended with ENOSPC.
 */
export function fullDisk(): Fault {
  let budget = BURSTS_BYTES
  return async ({ victims, others, strength, lasts }) => {
    const end = performance.now() + lasts
    const before = victims.map(({ exits }) => exits.length)
    const excuses = victims.map((server) => server.excuse())
    const releases = victims.map((server) => server.hold())
    const lifts = victims.map(({ disk }) => fill(disk))
    if (strength < 0.3 && budget > 0) budget -= await burst([...others, ...victims], budget, end)
    else await Promise.all(victims.map(restart))
    return () => {
      for (const lift of lifts) lift()
      for (const release of releases) release()
      for (const stop of excuses) stop()
      return victims.reduce((sum, server, i) => sum + fullExits(server, before[i]!), 0)
    }
  }
}

/** Bytes of large values in the whole run: the servers keep them in memory. */
const BURSTS_BYTES = 40 << 20

const VALUE_BYTES = 1 << 20

/** Milliseconds until a server that takes no writes is asked again. */
const REFUSED_PAUSE = 50

async function restart(server: Server): Promise<void> {
  await server.kill()
  server.start()
}

/** Writes large values until there were enough of them, or one of the servers has died. */
async function burst(servers: readonly Server[], bytes: number, end: number): Promise<number> {
  const value = new Uint8Array(VALUE_BYTES)
  let written = 0
  const writing = servers.map(async ({ url }) => {
    while (written < bytes && performance.now() < end && servers.every((it) => it.isRunning)) {
      const { response } = await put(url, 'bulk', value)
      if (response.type !== 'failed') written += VALUE_BYTES
      else await sleep(REFUSED_PAUSE)
    }
  })
  await Promise.all(writing)
  return written
}

const fullExits = ({ exits }: Server, from: number): number =>
  exits.slice(from).filter(({ output }) => output.includes('ENOSPC')).length
