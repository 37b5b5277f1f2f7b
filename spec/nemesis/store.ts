import { setTimeout as sleep } from 'node:timers/promises'
import { ClientError, send, type Answer, type Ask } from '../../kv/exchange.ts'
import type { Bound } from './bounded.ts'
import type { Outcome } from './history.ts'

/** Milliseconds that a client waits for an answer. */
const PATIENCE = 1_000

const MAX_REDIRECTS = 3

/** A value with the version under which it was written. */
export interface Read extends Outcome {
  readonly version?: string
}

/** A conditional write asks for a version, or for none at all to be there. */
export type Condition = { readonly version: string | undefined }

export async function get(server: string, key: string, bound?: Bound): Promise<Read> {
  const answer = await asked(server, { method: 'GET', path: `/kv/${key}${queryOf(bound)}` })
  if (typeof answer === 'string') return { response: { type: 'unknown' } }
  const { status, body, headers } = answer
  if (status === 404) return { response: { type: 'ok', value: undefined } }
  if (status !== 200) return { response: { type: 'unknown' } }
  return { response: { type: 'ok', value: body.toString() }, version: headers.etag! }
}

function queryOf(bound: Bound | undefined): string {
  if (bound === undefined) return ''
  return 'within' in bound ? `?within=${bound.within}` : `?at-least=${bound.atLeast}`
}

export async function put(
  server: string,
  key: string,
  value: string | Uint8Array,
  condition?: Condition,
  name?: string,
): Promise<Outcome> {
  const headers = {
    ...(condition !== undefined && headersOf(condition)),
    ...(name !== undefined && { 'idempotency-key': name }),
  }
  const ask: Ask = { method: 'PUT', path: `/kv/${key}`, headers, body: Buffer.from(value) }
  const answer = await asked(server, ask)
  if (answer === 'none') return { response: { type: 'failed' } }
  if (answer === 'unknown') return { response: { type: 'unknown' } }
  return outcomeOf(answer, condition !== undefined)
}

const headersOf = ({ version }: Condition): Record<string, string> =>
  version === undefined ? { 'if-none-match': '*' } : { 'if-match': version }

/** Times that a write under an idempotency key is sent, at most. */
const ATTEMPTS = 8

/** Milliseconds between two of them. */
const REPEAT_PAUSE = 150

/**
 * A write under an idempotency key is sent again where no answer came. Once it may have been carried out,
 * no refusal of a later attempt says that it was not.
 */
export async function insistently(attempt: () => Promise<Outcome>): Promise<Outcome> {
  let isOpen = false
  for (let i = 0; i < ATTEMPTS; i++) {
    const outcome = await attempt()
    const { type } = outcome.response
    if (type === 'ok' || (type === 'failed' && !isOpen)) return outcome
    isOpen = true
    await sleep(REPEAT_PAUSE)
  }
  return { response: { type: 'unknown' } }
}

function outcomeOf({ status, body, headers }: Answer, isConditional: boolean): Outcome {
  const said = jsonOf(body)
  const isReplay = headers['idempotent-replayed'] === 'true'
  if (status === 200) {
    const response = isConditional ? { type: 'ok', swapped: true } : { type: 'ok' }
    return { response: response as Outcome['response'], index: said.index!, isReplay }
  }
  if (status === 412) return { response: { type: 'ok', swapped: false }, isReplay }
  return { response: { type: said.outcome === 'none' ? 'failed' : 'unknown' } }
}

function jsonOf(body: Buffer): { readonly index?: number; readonly outcome?: string } {
  try {
    return JSON.parse(body.toString()) as { index?: number; outcome?: string }
  } catch {
    return {}
  }
}

/** Asks and follows redirects; without an answer, what is known of the outcome. */
async function asked(server: string, ask: Ask): Promise<Answer | 'none' | 'unknown'> {
  try {
    let answer = await send(server, ask, PATIENCE)
    for (let i = 0; answer.status === 307 && i < MAX_REDIRECTS; i++) {
      answer = await send(new URL(answer.headers.location!).origin, ask, PATIENCE)
    }
    return answer.status === 307 ? 'none' : answer
  } catch (error) {
    return error instanceof ClientError && error.code === 'unreachable' ? 'none' : 'unknown'
  }
}
