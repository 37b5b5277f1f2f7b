import type { Fault } from './fault.ts'

/** kill -9, and a restart when it is over. Bites: processes that the signal ended. */
export const kill: Fault = async ({ victims }) => {
  const releases = victims.map((server) => server.hold())
  const killed = await Promise.all(
    victims.map(async (server) => {
      const before = server.exits.length
      await server.kill()
      return server.exits.slice(before).filter(({ signal }) => signal === 'SIGKILL').length
    }),
  )
  return () => {
    for (const release of releases) release()
    return killed.reduce((sum, count) => sum + count, 0)
  }
}
