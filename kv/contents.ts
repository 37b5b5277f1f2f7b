import type { Index } from 'rxraft'
import { hashOf } from './hashes.ts'
import { ordinal, ordinalIn } from './ordinals.ts'
import { ascend, find, get, remove, set, setAt, type Owner, type Place, type Tree } from './tree.ts'

/** The index of the command that wrote a value last. */
export type Version = Index

export interface Entry {
  readonly value: Uint8Array
  readonly version: Version
  /** When it goes, in ms of the log's time; `undefined` for never. */
  readonly expires?: number | undefined
}

interface Hashed extends Entry {
  readonly hash: number
}

/** The keys of the store, and again those that expire. Never changed in place. */
export interface Contents {
  readonly entries: Tree<Hashed>
  /** Keys that expire, the next one first. */
  readonly deadlines: Tree<string>
  /** The sum of the hashes of all entries, by which two stores are told apart. */
  readonly hash: number
}

export const EMPTY_CONTENTS: Contents = { entries: undefined, deadlines: undefined, hash: 0 }

export const withEntry = (contents: Contents, key: string, entry: Entry): Contents =>
  withEntryAt(contents, find(contents.entries, key), entry)

/** `place` is where the key was found in the contents. The same `owner` may have them changed in place, as {@link setAt} has. */
export function withEntryAt(
  contents: Contents,
  place: Place<Hashed>,
  entry: Entry,
  owner?: Owner,
): Contents {
  const { key, value: before } = place
  const { value, version, expires } = entry
  const deadlines = withoutDeadline(contents, key, before)
  const hash = hashOf(key, value, version, expires ?? 0)
  return {
    entries: setAt(place, { value, version, expires, hash }, owner),
    deadlines: expires === undefined ? deadlines : set(deadlines, deadline(expires, key), key),
    hash: (contents.hash - (before?.hash ?? 0) + hash) | 0,
  }
}

export function withoutEntry(
  contents: Contents,
  key: string,
  before = get(contents.entries, key),
): Contents {
  return {
    entries: remove(contents.entries, key),
    deadlines: withoutDeadline(contents, key, before),
    hash: (contents.hash - (before?.hash ?? 0)) | 0,
  }
}

const withoutDeadline = (
  { deadlines }: Contents,
  key: string,
  before: Entry | undefined,
): Contents['deadlines'] =>
  before?.expires === undefined ? deadlines : remove(deadlines, deadline(before.expires, key))

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
