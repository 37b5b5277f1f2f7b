import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientOptions } from './client.ts'
import { open, Refused } from './exchange.ts'

/** Milliseconds of silence after which a server, which gives signs of life, counts as gone. */
const SILENCE = 40_000

/** Milliseconds between two attempts to connect. */
const PAUSE = 200

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
      for await (const { id, data } of events(response)) {
        lastContact = performance.now()
        seen = id
        if (data !== '') yield data
      }
    } catch (error) {
      if (error instanceof Refused && error.status !== 503) throw error
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

interface ServerSent {
  readonly id: string
  readonly data: string
}

/** Takes a stream of server-sent events apart. Only `id` and `data` matter here. */
async function* events(response: IncomingMessage): AsyncGenerator<ServerSent, void> {
  let rest = ''
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) {
      const lines = block.split('\n')
      yield { id: fieldOf(lines, 'id'), data: fieldOf(lines, 'data') }
    }
  }
}

function fieldOf(lines: readonly string[], name: string): string {
  const line = lines.find((it) => it.startsWith(`${name}: `))
  return line === undefined ? '' : line.slice(name.length + 2)
}
