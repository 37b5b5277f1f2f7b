import { existsSync } from 'node:fs'
import {
  concat,
  defer,
  EMPTY,
  ignoreElements,
  map,
  of,
  retry,
  switchMap,
  take,
  throwError,
  timer,
} from 'rxjs'
import type { Observable } from 'rxjs'
import type { Status } from 'rxraft'
import { inspect } from 'rxraft/storage/file'
import { formatPlace, type Place } from './addresses.ts'
import { call } from './client.ts'
import { ClientError, Refused, type Answer, type Ask } from './exchange.ts'
import type { StoreNode } from './machine.ts'
import { listedMembers, type Listed } from './memberList.ts'
import { wasMember } from './mark.ts'
import { isOf, lacks, Removed, type Membership } from './removal.ts'

/** How a server comes into a cluster that is there already. */
export interface Joining extends Place {
  readonly id: string
  /** What the cluster is called: no other one is joined. */
  readonly cluster: string
  /** A server of the cluster, such as `http://127.0.0.1:8001`. */
  readonly contact: string
  /** As what it is to be taken in. */
  readonly as: 'voters' | 'learners' | 'witnesses'
}

/** Milliseconds between two requests to be taken in. */
const PAUSE = 500

/** Milliseconds that the contact may be silent, which tells every 15 s that it is still there. */
const SILENCE = 40_000

/**
 * The members whom a server with a new disk finds, by asking until somebody answers; none where the disk
 * knows better. Errors when the server votes already: what it promised is on another disk.
 */
export function lookAround(joining: Joining, directory: string): Observable<readonly Listed[]> {
  const { id } = joining
  return defer(() => isNew(directory)).pipe(
    switchMap((isNew) => (isNew ? membershipAt(joining, [joining.contact]) : of(undefined))),
    map((known) => {
      if (known === undefined) return []
      const { members } = known
      const self = members.find((member) => member.id === id)
      if (self === undefined || self.role === 'learner') return members
      throw new Error(
        `${id} votes in that cluster, and what it promised is not in ${directory}, which is new: ${remedy(id)}`,
      )
    }),
  )
}

/** Errors when the directory is empty: whoever was in the cluster had made promises, which are gone. */
export function checkKept(id: string, directory: string): Observable<never> {
  return defer(() => isNew(directory)).pipe(
    map((isNew) => {
      if (isNew)
        throw new Error(
          `${directory} is empty, and with '--existing' it must not be: ${remedy(id)}`,
        )
    }),
    ignoreElements(),
  )
}

const remedy = (id: string): string => `remove ${id} from the members, and join under another id`

async function isNew(directory: string): Promise<boolean> {
  return !existsSync(directory) || (await inspect(directory)).logId === undefined
}

/**
 * Asks to be taken in, unless it is already, and tells how that goes: its contact, or where that is gone one of `others`
 * and of those that its log names. Completes when it is done. Errors with
 * `Removed` when its directory says that it was in that cluster, which is without it now.
 */
export function join(
  node: StoreNode,
  joining: Joining,
  directory: string,
  others: readonly string[] = [],
): Observable<string> {
  const { id, contact } = joining
  const booted$ = node.role$.pipe(take(1))
  return booted$.pipe(
    switchMap(() => node.status$.pipe(take(1))),
    switchMap((status) => {
      if (isIn(status, joining)) return EMPTY
      const servers = [...new Set([contact, ...others, ...placesIn(status)])]
      return concat(
        of(`${contact} is asked to take ${id} in`),
        checkedAgain(status, joining, directory, servers),
        insist(askFor(joining), servers).pipe(map(() => `${id} is in the cluster`)),
      )
    }),
  )
}

const isIn = ({ members }: Status, { id, as }: Joining): boolean =>
  members.voters.includes(id) || (as === 'learners' && members.learners.includes(id))

/** Where the others are, as this server's log has it. */
const placesIn = ({ id, members }: Status): string[] =>
  listedMembers(members).flatMap((it) => (it.id === id || it.http === undefined ? [] : [it.http]))

/** Who was in the cluster and is not any more was removed, and does not come back. */
const checkedAgain = (
  status: Status,
  joining: Joining,
  directory: string,
  servers: readonly string[],
): Observable<never> =>
  membershipAt(joining, servers).pipe(
    map((known) => {
      if (wasMember(directory) && lacks(known, status)) throw new Removed(status.id, known.index)
    }),
    ignoreElements(),
  )

/** Who is in the cluster, asked until one answers. Errors when that is of another cluster. */
const membershipAt = ({ cluster }: Joining, servers: readonly string[]): Observable<Membership> =>
  insist({ method: 'GET', path: '/members' }, servers).pipe(
    map(({ server, body }) => {
      const known = JSON.parse(body.toString()) as Membership
      if (isOf(cluster, known)) return known
      throw new Error(
        `${server} is of cluster "${known.cluster}", and this server is to be of "${cluster}": ` +
          "one of '--join' and '--cluster' is wrong",
      )
    }),
  )

function askFor({ id, as, ...place }: Joining): Ask {
  const plan = { [as]: [id], addresses: { [id]: formatPlace(place) } }
  const headers = { accept: 'text/event-stream' }
  return { method: 'POST', path: '/members', headers, body: Buffer.from(JSON.stringify(plan)) }
}

/** Asks again and again: a change that is asked for twice is done once. Errors when it never can be. */
function insist(ask: Ask, servers: readonly string[]): Observable<Answer> {
  let first = -1
  // Each time another one is asked first: one may be silent for long.
  const next = (): string[] => {
    first = (first + 1) % servers.length
    return [...servers.slice(first), ...servers.slice(0, first)]
  }
  return defer(() => call(ask, { servers: next(), timeout: SILENCE })).pipe(
    map((answer) => {
      if (answer.status < 400) return answer
      throw new Refused(answer)
    }),
    retry({
      delay: (error: unknown) => (isPassing(error) ? timer(PAUSE) : throwError(() => error)),
    }),
  )
}

/** Nobody there, an election, another change under way. */
const isPassing = (error: unknown): boolean =>
  error instanceof ClientError ||
  (error instanceof Refused && (error.status >= 500 || error.status === 409))
