import { setTimeout as sleep } from 'node:timers/promises'
import { ClientError, send, type Answer, type Ask } from './exchange.ts'

export interface ClientOptions {
  /** Where servers are, such as `http://127.0.0.1:8001`, in the order in which they are asked. */
  readonly servers: readonly string[]
  /** Milliseconds to ask again and again while servers are up and none leads. Default 5,000. */
  readonly patience?: number
  /** Milliseconds that a server may be silent. Default 10,000. */
  readonly timeout?: number
}

/** Redirects to follow from one server. */
const MAX_REDIRECTS = 5

/** Milliseconds between two rounds through the servers. */
const PAUSE = 200

/**
 * Asks one server after the other until one can answer. While any is up, but none leads, the rounds go
 * on for `patience`; the last answer is then the answer. A write that may have been received is sent again
 * only under an idempotency key, for as long; once it may have been, no refusal says what became of it.
 */
export async function call(ask: Ask, options: ClientOptions): Promise<Answer> {
  const { patience = 5_000, timeout = 10_000 } = options
  const isNamed = ask.headers?.['idempotency-key'] !== undefined
  const deadline = performance.now() + patience
  let unknown: Answer | ClientError | undefined
  for (;;) {
    const outcomes = []
    for (const server of options.servers) {
      const outcome = await follow(server, ask, timeout).catch(caught)
      if (isNamed && isUnknown(outcome)) unknown = outcome
      else if (!isPassing(outcome)) return settled(outcome)
      outcomes.push(outcome)
    }
    const up = outcomes.filter((it) => !isUnreachable(it))
    const isOver = performance.now() > deadline || (up.length === 0 && unknown === undefined)
    if (isOver) return settled(unknown ?? up[0] ?? outcomes[0])
    await sleep(PAUSE)
  }
}

/** The server's answer, or that of the server to which it redirects. */
async function follow(server: string, ask: Ask, timeout: number): Promise<Answer> {
  let at = server
  let { path } = ask
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await send(at, { ...ask, path }, timeout).catch((error: unknown) => {
      if (redirects === 0 || !isUnreachable(error)) throw error
      throw new ClientError(
        'leader-unreachable',
        `${server} says that ${at} leads: ${error.message}`,
      )
    })
    if (answer.status !== 307) return answer
    ;[at, path] = targetOf(answer)
  }
  const message = `${server} redirects more than ${MAX_REDIRECTS} times, at last to ${at}`
  throw new ClientError('too-many-redirects', message)
}

/** Takes a location apart by hand: parsing it as a URL would resolve the dots in a key. */
function targetOf({ server, headers }: Answer): [server: string, path: string] {
  const [, origin, path] = /^(http:\/\/[^/?#]+)(\/.*)$/.exec(headers.location ?? '') ?? []
  if (origin !== undefined && path !== undefined) return [origin, path]
  throw new ClientError('bad-redirect', `${server} redirects to "${headers.location}"`)
}

const isUnreachable = (error: unknown): error is ClientError =>
  error instanceof ClientError && error.code === 'unreachable'

/** It may have been carried out, or may yet be. */
const isUnknown = (outcome: Answer | ClientError): boolean =>
  outcome instanceof ClientError ? outcome.code === 'unknown-outcome' : outcome.status === 504

/** What another server may answer otherwise, or this one in a moment: two that change places name each other. */
const PASSING = ['unreachable', 'leader-unreachable', 'too-many-redirects']

const isPassing = (outcome: Answer | ClientError): boolean =>
  outcome instanceof ClientError ? PASSING.includes(outcome.code) : NOT_NOW.includes(outcome.status)

/** Nothing was written: nobody leads, or the disk is full. */
const NOT_NOW = [503, 507]

function caught(error: unknown): ClientError {
  if (error instanceof ClientError) return error
  throw error
}

function settled(outcome: Answer | ClientError | undefined): Answer {
  if (outcome === undefined) throw new ClientError('unreachable', 'there is no server to ask')
  if (outcome instanceof ClientError) throw outcome
  return outcome
}
