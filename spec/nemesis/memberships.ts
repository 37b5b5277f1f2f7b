import { send } from '../../kv/exchange.ts'
import type { Server } from './server.ts'

/** The members as one server knows them. */
export interface Membership {
  /** Where they stand in the log. */
  readonly index: number
  /** Whether that is committed. */
  readonly committed: boolean
  readonly members: readonly { readonly id: string; readonly role: string }[]
}

/** Who was in the cluster when, put together from what the servers say is committed. */
export class Memberships {
  readonly problems: string[] = []
  readonly #seen = new Map<number, { readonly by: string; readonly list: string }>()
  readonly #gone = new Map<string, number>()
  #newest: Membership = { index: -1, committed: false, members: [] }

  /** What one server said. */
  heard(by: string, membership: Membership): void {
    const { index, committed, members } = membership
    // Whoever joins knows of nobody at first.
    if (!committed || members.length === 0) return
    const list = members.map(({ id, role }) => `${id}:${role}`).join(' ')
    const before = this.#seen.get(index)
    if (before === undefined) this.#seen.set(index, { by, list })
    else if (before.list !== list) {
      this.problems.push(
        `${before.by} has the members ${before.list} at ${index}, ${by} has ${list}`,
      )
    }
    if (index > this.#newest.index) this.#take(membership)
  }

  get newest(): Membership {
    return this.#newest
  }

  /** `voter`, `learner` or `leaving` in the newest configuration; `gone` when it was in an older one. */
  roleOf(id: string): string | undefined {
    if (this.#gone.has(id)) return 'gone'
    return this.#newest.members.find((member) => member.id === id)?.role
  }

  /** How many configurations were committed, as far as they were seen. */
  get count(): number {
    return this.#seen.size
  }

  #take(next: Membership): void {
    const ids = next.members.map(({ id }) => id)
    for (const { id } of this.#newest.members) {
      if (!ids.includes(id)) this.#gone.set(id, next.index)
    }
    for (const id of ids) {
      const since = this.#gone.get(id)
      if (since === undefined) continue
      this.problems.push(`${id} is in again at ${next.index}: it was removed at ${since}`)
    }
    this.#newest = next
  }
}

/** Asks one server what it knows; `undefined` when it does not say. */
export async function membershipOf(
  { url }: Server,
  timeout = 400,
): Promise<Membership | undefined> {
  try {
    const path = '/members?consistency=stale'
    const { status, body } = await send(url, { method: 'GET', path }, timeout)
    return status === 200 ? (JSON.parse(body.toString()) as Membership) : undefined
  } catch {
    return undefined
  }
}
