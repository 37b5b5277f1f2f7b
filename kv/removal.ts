import { defer, exhaustMap, ignoreElements, map, timer, type Observable } from 'rxjs'
import type { NodeId, Status } from 'rxraft'
import { placeOf } from './addresses.ts'
import { send } from './exchange.ts'
import type { StoreNode } from './machine.ts'
import { listedMembers, type Listed } from './memberList.ts'
import { glance } from './service.ts'

/** The cluster goes on without this server. */
export class Removed extends Error {
  constructor(id: NodeId, index: number) {
    super(
      `${id} is no member any more: the configuration at ${index} is without it. ` +
        'Do not start it again: to come back, it joins under another id and with an empty directory',
    )
    this.name = 'Removed'
  }
}

/** What `GET /members` answers. */
export interface Membership {
  /** What the cluster is called; not said by servers of earlier versions. */
  readonly cluster?: string
  readonly index: number
  readonly committed: boolean
  readonly members: readonly Listed[]
}

/** Milliseconds between two looks. */
const PAUSE = 1_000

/** Milliseconds that another server may take to answer. */
const TIMEOUT = 2_000

/**
 * Errors with `Removed` when this server, which was a member, is none any more. Its own log may tell. But a
 * server that is sent away is soon sent nothing, so when it hears no leader, it asks those that it knows of,
 * and `contacts`; what a server of another cluster says counts for nothing. Never completes.
 */
export function removal(
  node: StoreNode,
  cluster: string,
  contacts: readonly string[] = [],
  pause = PAUSE,
): Observable<never> {
  return defer(() => {
    const look = watchful(node, cluster, contacts)
    return timer(pause, pause).pipe(exhaustMap(() => look()))
  }).pipe(
    map((removed) => {
      if (removed !== undefined) throw removed
    }),
    ignoreElements(),
  )
}

/** A look at where this server stands. A leader that was missing twice is missed. */
function watchful(
  node: StoreNode,
  cluster: string,
  contacts: readonly string[],
): () => Promise<Removed | undefined> {
  let wasMember = false
  let wasAlone = false
  return () => {
    const now = statusOf(node)
    if (now === undefined) return Promise.resolve(undefined)
    const isMember = listedMembers(now.members).some(({ id }) => id === now.id)
    wasMember ||= isMember
    if (wasMember && !isMember && now.members.index <= now.commitIndex) {
      return Promise.resolve(new Removed(now.id, now.members.index))
    }
    const isAlone = !isMember || now.leader === undefined
    const isMissed = isAlone && wasAlone
    wasAlone = isAlone
    return isMissed ? removedBy(now, cluster, contacts) : Promise.resolve(undefined)
  }
}

function statusOf(node: StoreNode): Status | undefined {
  try {
    return glance(node)
  } catch {
    return undefined
  }
}

/** Asks the others, one after the other, until one knows. */
async function removedBy(
  now: Status,
  cluster: string,
  contacts: readonly string[],
): Promise<Removed | undefined> {
  const ids = listedMembers(now.members).map(({ id }) => id)
  const places = ids.filter((id) => id !== now.id).map((id) => placeOf(now.members, id)?.http)
  for (const server of new Set([...places, ...contacts])) {
    const known = server === undefined ? undefined : await membershipAt(server)
    if (known !== undefined && isOf(cluster, known))
      return lacks(known, now) ? new Removed(now.id, known.index) : undefined
  }
  return undefined
}

/** Whether a committed configuration that is no older than this server's own is without it. */
export function lacks(
  { index, committed, members }: Membership,
  { id, members: own }: Pick<Status, 'id' | 'members'>,
): boolean {
  return committed && index >= own.index && members.every((member) => member.id !== id)
}

/** An address may have another owner by now. */
export const isOf = (cluster: string, known: Membership): boolean =>
  known.cluster === undefined || known.cluster === cluster

async function membershipAt(server: string): Promise<Membership | undefined> {
  try {
    const { status, body } = await send(server, { method: 'GET', path: '/members' }, TIMEOUT)
    return status === 200 ? (JSON.parse(body.toString()) as Membership) : undefined
  } catch {
    return undefined
  }
}
