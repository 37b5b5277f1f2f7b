import { send } from '../../kv/exchange.ts'
import type { Server } from './server.ts'

/** What a server's `/status` says, and what its clock shows. */
export interface Standing {
  readonly id: string
  readonly role: string
  readonly term: number
  readonly commitIndex: number
  readonly appliedIndex: number
  /** The wall clock of the server, in ms since 1970, to the second. */
  readonly clock: number
}

/** Asks one server; `undefined` when it does not answer within `timeout` ms. */
export async function standingOf(server: Server, timeout = 400): Promise<Standing | undefined> {
  try {
    const { status, body, headers } = await send(
      server.url,
      { method: 'GET', path: '/status' },
      timeout,
    )
    if (status !== 200) return undefined
    const clock = Date.parse(headers.date ?? '')
    return { ...(JSON.parse(body.toString()) as Omit<Standing, 'clock'>), clock }
  } catch {
    return undefined
  }
}
