import type { Log } from '../../lib/log.ts'
import type { NodeId } from '../../lib/types.ts'

/** Other names for the servers: one that permutes them makes another picture of the same cluster. */
export type Renaming = ReadonlyMap<NodeId, NodeId>

/**
 * A value as text, the servers renamed. Everything in the value counts, whatever the engine may add to
 * its state later, except `config`, which never changes. Equal text means equal behaviour.
 */
export function encode(value: unknown, names: Renaming): string {
  if (typeof value === 'string') return names.get(value) ?? value
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Uint8Array) return value.join('.')
  if (value instanceof Map) return encodeMap(value, names)
  if (Array.isArray(value)) return encodeList(value, names)
  if (isLog(value)) return encode(value.cells.slice(0, value.length), names)
  return encodeRecord(value as Readonly<Record<string, unknown>>, names)
}

const encodeMap = (map: ReadonlyMap<unknown, unknown>, names: Renaming): string =>
  `{${[...map]
    .map(([key, value]) => `${encode(key, names)}:${encode(value, names)}`)
    .sort()
    .join()}}`

const encodeRecord = (record: Readonly<Record<string, unknown>>, names: Renaming): string =>
  `(${Object.keys(record)
    .filter((key) => key !== 'config')
    .sort()
    .map((key) => `${key}=${encode(record[key], names)}`)
    .join()})`

/** Lists that have a place for each server are put in the order of the new names. */
function encodeList(list: readonly unknown[], names: Renaming): string {
  const rows = list.map((item) => ({ server: serverOf(item, names), text: encode(item, names) }))
  if (rows.every(({ server }) => server !== undefined)) {
    rows.sort((a, b) => (a.server! < b.server! ? -1 : a.server! > b.server! ? 1 : 0))
  }
  return `[${rows.map(({ text }) => text).join()}]`
}

/** The server that an item of a list is about: a voter, a follower's progress, a message's receiver. */
function serverOf(item: unknown, names: Renaming): NodeId | undefined {
  if (typeof item === 'string') return names.get(item)
  if (typeof item !== 'object' || item === null) return undefined
  const { id, to } = item as { readonly id?: unknown; readonly to?: unknown }
  const name = id ?? to
  return typeof name === 'string' ? names.get(name) : undefined
}

const isLog = (value: object): value is Log => 'cells' in value && 'totals' in value

/** Every renaming of these servers; the first changes nothing. */
export function renamings(names: readonly NodeId[]): readonly Renaming[] {
  return permutations(names).map((to) => new Map(names.map((name, i) => [name, to[i]!])))
}

const permutations = (names: readonly NodeId[]): readonly (readonly NodeId[])[] =>
  names.length === 0
    ? [[]]
    : names.flatMap((first) =>
        permutations(names.filter((name) => name !== first)).map((rest) => [first, ...rest]),
      )

/**
 * Two words of hash for each renaming of a value. Those of a cluster are the sums of those of its
 * parts, so that a step costs the hash of what it changed.
 */
export type Hashes = Int32Array

export function hashesOf(value: unknown, all: readonly Renaming[]): Hashes {
  const hashes = new Int32Array(all.length * 2)
  all.forEach((names, i) => {
    const [high, low] = hash(encode(value, names))
    hashes[2 * i] = high
    hashes[2 * i + 1] = low
  })
  return hashes
}

/** 64 bits of a text (cyrb53 without its last cut). */
function hash(text: string): readonly [number, number] {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    high = Math.imul(high ^ code, 2654435761)
    low = Math.imul(low ^ code, 1597334677)
  }
  const first =
    Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  const second =
    Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(first ^ (first >>> 13), 3266489909)
  return [first | 0, second | 0]
}
