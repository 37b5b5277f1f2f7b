import { setTimeout as sleep } from 'node:timers/promises'
import { fill } from '../disk.ts'
import type { Server } from '../server.ts'
import { put } from '../store.ts'
import type { Fault } from './fault.ts'

/**
 * All room on the disk is taken. The log has its next file in reserve, so that nothing would be noticed for
 * long: so the server is either killed and started on the full disk, or values are written until the reserve is used
 * up. Nobody is excused: a server has to refuse what it has no room for, to stay, and to go on by itself when
 * there is room. Bites: servers that said that their disk is full.
 */
export const fullDisk: Fault = async ({ victims, others, strength, lasts }) => {
  const end = performance.now() + lasts
  const before = victims.map(({ complaints }) => complaints)
  const lifts = victims.map(({ disk }) => fill(disk))
  if (strength < 0.6) await burst(victims, others, end)
  else await Promise.all(victims.map(restart))
  return () => {
    for (const lift of lifts) lift()
    return victims.filter(({ complaints }, i) => complaints > before[i]!).length
  }
}

/** Bytes of values in one burst, at most: more than the log has in reserve. */
const BURST_BYTES = 2 << 20

const VALUE_BYTES = 64 << 10

/** Milliseconds until a server that takes no writes is asked again. */
const REFUSED_PAUSE = 50

async function restart(server: Server): Promise<void> {
  await server.kill()
  server.start()
}

/** Writes values until there were enough of them. Whoever they are written to, they come to everybody. */
async function burst(
  victims: readonly Server[],
  others: readonly Server[],
  end: number,
): Promise<void> {
  const value = new Uint8Array(VALUE_BYTES)
  let written = 0
  const writing = [...others, ...victims].map(async ({ url }) => {
    while (written < BURST_BYTES && performance.now() < end) {
      const { response } = await put(url, 'bulk', value)
      if (response.type !== 'failed') written += VALUE_BYTES
      else await sleep(REFUSED_PAUSE)
    }
  })
  await Promise.all(writing)
}
