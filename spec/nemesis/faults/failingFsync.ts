import type { Fault } from './fault.ts'

/**
 * Writes and flushes of the log fail with EIO, half of the time after they were done. The server has to
 * die of it, and starts again when it is over. Bites: writes and flushes that failed.
 */
export const failingFsync: Fault = ({ victims, strength }) => {
  const before = victims.map(({ strings }) => strings.failedFlushes)
  const excuses = victims.map((server) => server.excuse())
  const releases = victims.map((server) => server.hold())
  for (const { strings } of victims) strings.failFlushes(strength < 0.5 ? 'fails' : 'lies')
  return () => {
    for (const { strings } of victims) strings.mendFlushes()
    const failed = victims.map(({ strings }, i) => strings.failedFlushes - before[i]!)
    for (const release of releases) release()
    for (const stop of excuses) stop()
    return failed.reduce((sum, count) => sum + count, 0)
  }
}
