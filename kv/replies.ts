import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import {
  ChangeRefused,
  CommandTooLarge,
  NoSpace,
  NoState,
  NotLeader,
  RaftError,
  TransferFailed,
  type NodeId,
  type Status,
} from 'rxraft'
import { placeOf } from './addresses.ts'

/** An answer that is complete when it begins. */
export interface Reply {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: string | Uint8Array
}

/** Seconds to wait before asking again, where there is no leader or no quorum now. */
const RETRY_AFTER = { 'retry-after': '1' }

export function json(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  }
}

/** A failure: `error` is a stable name in kebab case, `message` a sentence for a person. */
export function problem(
  status: number,
  error: string,
  message: string,
  more: { headers?: OutgoingHttpHeaders; fields?: object } = {},
): Reply {
  return json(status, { error, message, ...more.fields }, more.headers)
}

/** A request that cannot be answered as it was meant; `reply` says so. */
export class Refusal extends Error {
  constructor(readonly reply: Reply) {
    super(`refused with status ${reply.status}`)
  }
}

export const refuse = (...reason: Parameters<typeof problem>): Refusal =>
  new Refusal(problem(...reason))

/** What a request that failed with `error` is answered, which had an idempotency key or none. */
export function replyTo(error: unknown, isNamed = false): Reply {
  if (error instanceof Refusal) return error.reply
  if (!(error instanceof RaftError)) {
    return problem(500, 'internal', error instanceof Error ? error.message : String(error))
  }
  const { code, message, outcome, retryable } = error
  const reason = reasonOf(error)
  const fields = { outcome, ...(reason !== undefined && { reason }) }
  if (outcome === 'unknown') return unknownOutcome(code, message, fields, isNamed)
  if (error instanceof CommandTooLarge) return problem(413, code, message, { fields })
  if (CONFLICTS.includes(reason)) return problem(409, code, message, { fields })
  if (error instanceof NoSpace) return problem(507, code, message, { fields, headers: RETRY_AFTER })
  if (retryable || code === 'stopped' || error instanceof NoState) {
    return problem(503, code, message, { fields, headers: RETRY_AFTER })
  }
  return problem(500, code, message, { fields })
}

/** Whoever gave the request a name may ask again what came of it. */
const unknownOutcome = (code: string, message: string, fields: object, isNamed: boolean): Reply =>
  isNamed
    ? problem(504, code, `${message}. Ask again with the same Idempotency-Key`, {
        fields: { ...fields, repeatable: true },
        headers: RETRY_AFTER,
      })
    : problem(504, code, message, { fields })

/** What stands against a change, and goes away only when somebody does something. */
const CONFLICTS: readonly (string | undefined)[] = [
  ...['busy', 'conflict', 'empty', 'nobody', 'witness', 'full'],
]

const reasonOf = (error: RaftError): string | undefined =>
  error instanceof ChangeRefused || error instanceof TransferFailed ? error.reason : undefined

/** As `replyTo`, and sends what came to the wrong server to the leader, when it is known. */
export function replyToWrite(
  error: unknown,
  url: string,
  { id, members }: Pick<Status, 'id' | 'members'>,
  isNamed = false,
): Reply {
  const leader = leaderIn(error)
  // A leader that is handing over takes nothing in: to send somebody back to it would lead nowhere.
  const isElsewhere = leader !== undefined && leader !== id
  return (isElsewhere ? redirect(leader, url, members) : undefined) ?? replyTo(error, isNamed)
}

function leaderIn(error: unknown): NodeId | undefined {
  if (error instanceof NotLeader || error instanceof NoState) return error.leader
  const isMisplaced = error instanceof RaftError && reasonOf(error) === 'notLeader'
  return isMisplaced ? (error as ChangeRefused | TransferFailed).leader : undefined
}

/** To the leader, unless nobody knows where it is. */
export function redirect(
  leader: NodeId,
  url: string,
  members: Status['members'],
): Reply | undefined {
  const place = placeOf(members, leader)
  if (place === undefined) return undefined
  return problem(307, 'not-leader', `${leader} leads: ask ${place.http}`, {
    headers: { location: place.http + url },
    fields: { leader },
  })
}

export const unavailable = (error: string, message: string): Reply =>
  problem(503, error, message, { headers: RETRY_AFTER })

/** Writes the reply. A client that has gone away is no error: nobody is there to hear of it. */
export function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
