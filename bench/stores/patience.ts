import { setTimeout as sleep } from 'node:timers/promises'

const PAUSE_MS = 20
const PATIENCE_MS = 30_000

/** Asks again and again until there is an answer; whatever it throws means "not yet". Rejects after half a minute. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await ask().catch(() => undefined)
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`${what}: not within ${PATIENCE_MS} ms`)
    await sleep(PAUSE_MS)
  }
}
