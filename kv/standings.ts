import { send } from './exchange.ts'
import type { Listed } from './memberList.ts'

/** What `/status` says. */
export interface StatusBody {
  readonly id: string
  readonly role: string
  readonly term: number
  readonly leader: string | null
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly lastIndex: number
  readonly snapshotIndex: number
  readonly members: readonly Listed[]
}

/** A server, with how it stands or why it does not say. */
export interface Standing {
  readonly server: string
  readonly status?: StatusBody
  readonly error?: string
}

export interface LeaderFound {
  readonly id: string
  readonly term: number
  readonly http: string | undefined
}

/** Asks all servers at once. */
export function standings(servers: readonly string[], timeout = 2_000): Promise<Standing[]> {
  return Promise.all(
    servers.map(async (server) => {
      try {
        const { status, body } = await send(server, { method: 'GET', path: '/status' }, timeout)
        if (status !== 200) return { server, error: `answered with status ${status}` }
        return { server, status: JSON.parse(body.toString()) as StatusBody }
      } catch (error) {
        return { server, error: error instanceof Error ? error.message : String(error) }
      }
    }),
  )
}

/** The leader of the newest term that any of them knows. */
export function leaderAmong(all: readonly Standing[]): LeaderFound | undefined {
  let found: LeaderFound | undefined
  for (const { status } of all) {
    if (status === undefined || status.leader === null || status.term <= (found?.term ?? -1))
      continue
    const { leader: id, term, members } = status
    found = { id, term, http: members.find((member) => member.id === id)?.http }
  }
  return found
}
