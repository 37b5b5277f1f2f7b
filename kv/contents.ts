import type { Index } from 'rxraft'
import { ordinal, ordinalIn } from './ordinals.ts'
import { ascend, get, remove, set, type Tree } from './tree.ts'

/** The index of the command that wrote a value last. */
export type Version = Index

export interface Entry {
  readonly value: Uint8Array
  readonly version: Version
  /** When it goes, in ms of the log's time; `undefined` for never. */
  readonly expires?: number | undefined
}

/** The keys of the store, and again those that expire. Never changed in place. */
export interface Contents {
  readonly entries: Tree<Entry>
  /** Keys that expire, the next one first. */
  readonly deadlines: Tree<string>
}

export const EMPTY_CONTENTS: Contents = { entries: undefined, deadlines: undefined }

export function withEntry(contents: Contents, key: string, entry: Entry): Contents {
  const { entries, deadlines } = withoutDeadline(contents, key)
  const { expires } = entry
  return {
    entries: set(entries, key, entry),
    deadlines: expires === undefined ? deadlines : set(deadlines, deadline(expires, key), key),
  }
}

export function withoutEntry(contents: Contents, key: string): Contents {
  const { entries, deadlines } = withoutDeadline(contents, key)
  return { entries: remove(entries, key), deadlines }
}

function withoutDeadline(contents: Contents, key: string): Contents {
  const { entries, deadlines } = contents
  const expires = deadlines === undefined ? undefined : get(entries, key)?.expires
  return expires === undefined
    ? contents
    : { entries, deadlines: remove(deadlines, deadline(expires, key)) }
}

const deadline = (expires: number, key: string): string => ordinal(expires) + key

/** The keys whose time has come, the one that should have gone first before all, at most `limit`. */
export function overdue({ deadlines }: Contents, now: number, limit: number): string[] {
  const keys: string[] = []
  for (const { key: at, value: key } of ascend(deadlines)) {
    if (ordinalIn(at) > now || keys.length === limit) break
    keys.push(key)
  }
  return keys
}
