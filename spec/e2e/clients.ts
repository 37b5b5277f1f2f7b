import type { Server } from './servers.ts'

/** A write that was acknowledged, with where it went. */
export interface Acknowledged {
  readonly key: string
  readonly value: string
  readonly index: number
}

export async function put(
  server: Server,
  key: string,
  value: string,
): Promise<Acknowledged | undefined> {
  try {
    const response = await fetch(`${server.http}/kv/${key}`, {
      method: 'PUT',
      body: value,
      signal: AbortSignal.timeout(3_000),
    })
    if (response.status !== 200) return undefined
    const { index } = (await response.json()) as { index: number }
    return { key, value, index }
  } catch {
    return undefined
  }
}

export async function get(server: Server, key: string, query = ''): Promise<string | undefined> {
  const response = await fetch(`${server.http}/kv/${key}${query}`)
  return response.status === 200 ? response.text() : undefined
}

/**
 * Writes key after key to whichever server answers, never the same key twice, until told to stop.
 * A write without an answer is not repeated: its outcome is unknown.
 */
export class Writer {
  readonly acknowledged: Acknowledged[] = []
  readonly finished: Promise<void>
  #stopped = false

  constructor(name: string, servers: ReadonlyMap<string, Server>) {
    this.finished = this.#run(name, servers)
  }

  stop(): Promise<void> {
    this.#stopped = true
    return this.finished
  }

  async #run(name: string, servers: ReadonlyMap<string, Server>): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      const alive = [...servers.values()]
      const server = alive[i % alive.length]!
      const written = await put(server, `${name}-${i}`, `value ${i} of ${name}`)
      if (written === undefined) await new Promise((resolve) => setTimeout(resolve, 10))
      else this.acknowledged.push(written)
    }
  }
}

/** How often each key was put, according to a server's own account of every commit through `index`. */
export async function countPuts(server: Server, index: number): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for await (const { id, key } of watch(server)) {
    counts.set(key, (counts.get(key) ?? 0) + 1)
    if (id >= index) break
  }
  return counts
}

/** The events of `GET /watch` from the first commit on. Ending the iteration closes the connection. */
async function* watch(server: Server): AsyncGenerator<{ id: number; key: string }> {
  const response = await fetch(`${server.http}/watch?from=1`)
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    const events = text.split('\n\n')
    text = events.pop()!
    for (const event of events) {
      const id = /^id: ?(\d+)$/m.exec(event)?.[1]
      const data = /^data: ?(.*)$/m.exec(event)?.[1]
      if (id === undefined || data === undefined) continue
      const { key } = JSON.parse(data) as { key: string }
      yield { id: Number(id), key }
    }
  }
}
