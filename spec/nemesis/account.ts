import { open, type Ask } from '../../kv/exchange.ts'
import type { Account, Commit } from './audit.ts'
import { PREFIX } from './clients.ts'
import type { Server } from './server.ts'

/** Milliseconds of silence after which a watch is given up. */
const SILENCE = 20_000

/** Everything that a server still tells of its past, through index `last`, which has to be a change. */
export async function accountOf(server: Server, last: number): Promise<Account> {
  const { from, response } = await watch(server, 1)
  const commits: Commit[] = []
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    const events = text.split('\n\n')
    text = events.pop()!
    commits.push(...events.flatMap(commitIn))
    if ((commits.at(-1)?.index ?? 0) >= last) break
  }
  return { id: server.id, from, commits }
}

/** A server keeps so and so much of its past: what is older it refuses, and says where it begins. */
async function watch(server: Server, from: number) {
  const ask: Ask = { method: 'GET', path: `/watch?prefix=${PREFIX}&from=${from}` }
  const response = await open(server.url, ask, SILENCE)
  if (response.statusCode === 200) return { from, response }
  let body = ''
  for await (const chunk of response) body += String(chunk)
  const { first } = JSON.parse(body) as { first?: number }
  if (response.statusCode !== 410 || first === undefined || first === from) {
    throw new Error(`${server.id} does not tell its past: ${body}`)
  }
  return watch(server, first)
}

function commitIn(event: string): Commit[] {
  const index = /^id: ?(\d+)$/m.exec(event)?.[1]
  const data = /^data: ?(.*)$/m.exec(event)?.[1]
  if (index === undefined || data === undefined) return []
  const { key, value } = JSON.parse(data) as { key: string; value: string }
  return [{ index: Number(index), key, value }]
}
