import type { Fault } from './fault.ts'

/** SIGSTOP, and SIGCONT when it is over. Bites: processes that the kernel showed as stopped. */
export const pause: Fault = ({ victims }) => {
  for (const server of victims) server.signal('SIGSTOP')
  return () => {
    const stopped = victims.filter((server) => server.processState === 'T').length
    for (const server of victims) server.signal('SIGCONT')
    return stopped
  }
}
