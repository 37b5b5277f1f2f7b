import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientOptions } from './client.ts'
import { events } from './events.ts'
import { open, Refused } from './exchange.ts'

/** Milliseconds of silence after which a server, which gives signs of life, counts as gone. */
const SILENCE = 40_000

/** Milliseconds between two attempts to connect. */
const PAUSE = 200

/** What another server may answer otherwise: one that is not ready, or has forgotten what is asked for. */
const ELSEWHERE = [503, 410]

/**
 * The data of server-sent events, one after the other without a gap: when a server goes away, the next
 * one goes on after the last event that was seen. Ends with an error when none can be reached for
 * `patience`, or at once when none could be from the start.
 */
export async function* tail(
  path: string,
  { servers, patience = 5_000 }: ClientOptions,
): AsyncGenerator<string, void> {
  let seen: string | undefined
  let lastContact = -Infinity
  for (let attempt = 0; ; attempt++) {
    const server = servers[attempt % servers.length]!
    const headers: Record<string, string> = seen === undefined ? {} : { 'last-event-id': seen }
    try {
      const response = await open(server, { method: 'GET', path, headers }, SILENCE)
      if (response.statusCode !== 200) throw await refusal(server, response)
      for await (const { event, id, data } of events(response)) {
        // The server cannot go on; another one may.
        if (event === 'error') break
        lastContact = performance.now()
        seen = id
        if (data !== '') yield data
      }
    } catch (error) {
      if (error instanceof Refused && !ELSEWHERE.includes(error.status)) throw error
      const isRoundOver = (attempt + 1) % servers.length === 0
      if (isRoundOver && performance.now() > lastContact + patience) throw error
    }
    if (lastContact > -Infinity) await sleep(PAUSE)
  }
}

async function refusal(server: string, response: IncomingMessage): Promise<Refused> {
  const { statusCode = 0, headers } = response
  return new Refused({ server, status: statusCode, headers, body: await buffer(response) })
}
