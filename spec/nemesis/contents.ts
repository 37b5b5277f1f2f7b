import { send } from '../../kv/exchange.ts'
import { PREFIX } from './clients.ts'
import type { Write } from './history.ts'
import type { Server } from './server.ts'

/** What a server holds at the end: of each key its value, and the index that wrote it. */
export interface Contents {
  readonly id: string
  readonly items: ReadonlyMap<string, { readonly value: string; readonly version: number }>
}

const TIMEOUT = 5_000

/** Reads everything, from what this server alone has. */
export async function contentsOf({ id, url }: Server): Promise<Contents> {
  const items = new Map<string, { value: string; version: number }>()
  for (let after = '', more = true; more;) {
    const path = `/kv?consistency=stale&prefix=${PREFIX}&limit=1000&after=${after}`
    const { body } = await send(url, { method: 'GET', path }, TIMEOUT)
    const page = JSON.parse(body.toString()) as {
      readonly items: readonly { key: string; value: string; version: number }[]
      readonly more: boolean
    }
    for (const { key, value, version } of page.items) items.set(key, { value, version })
    after = page.items.at(-1)?.key ?? ''
    more = page.more
  }
  return { id, items }
}

/** Every server holds the same, and no key is older than its last acknowledged write. */
export function differences(all: readonly Contents[], writes: readonly Write[]): string[] {
  const last = new Map<string, number>()
  for (const { key, outcome } of writes) {
    if (typeof outcome === 'number') last.set(key, Math.max(outcome, last.get(key) ?? 0))
  }
  const first = all[0]
  return [
    ...all.flatMap(({ id, items }) =>
      [...last]
        .filter(([key, index]) => (items.get(key)?.version ?? 0) < index)
        .map(([key, index]) => `${id} holds ${key} as of ${items.get(key)?.version}, not ${index}`),
    ),
    ...all.slice(1).flatMap((other) => disagreement(first!, other)),
  ]
}

function disagreement(one: Contents, other: Contents): string[] {
  const keys = [...new Set([...one.items.keys(), ...other.items.keys()])]
  const key = keys.find((it) => shown(one, it) !== shown(other, it))
  if (key === undefined) return []
  return [`${one.id} holds ${key} = ${shown(one, key)}, ${other.id} ${shown(other, key)}`]
}

function shown({ items }: Contents, key: string): string {
  const item = items.get(key)
  return item === undefined ? 'nothing' : `${item.value} at ${item.version}`
}
