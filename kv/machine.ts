import type { ApplyContext, Index, Machine, Position, RaftNode } from 'rxraft'
import { answerTo, NO_ANSWERS, remember, type Answers } from './answers.ts'
import { compareKeys } from './keys.ts'
import {
  EMPTY_CONTENTS,
  overdue,
  withEntryAt,
  withoutEntry,
  type Contents,
  type Entry,
  type Version,
} from './contents.ts'
import { ordinalIn } from './ordinals.ts'
import { pieces, withPiece, type Piece } from './pieces.ts'
import { ascend, find, get, type Tree } from './tree.ts'

export type { Entry, Version } from './contents.ts'

/** What must hold of a key for a write to take effect; `null` asks for nothing. */
export type Condition = null | 'absent' | 'present' | Version

/** Commands are tuples that begin with their name: what the log holds for ever must be easy to tell. */
export type Command = Write | Once | Time

export type Write =
  | readonly ['put', key: string, value: Uint8Array, condition: Condition, life?: Life]
  | readonly ['delete', key: string, condition: Condition]

/** A write that is carried out once under its name; `digest` differs for different writes. */
export type Once = readonly ['once', name: string, digest: string, write: Write]

/** `now` is the log's time, in ms, as its leader measures it. What is due goes. */
export type Time = readonly ['time', now: number]

/** How long a value lives, in ms, from `at` on, which is the log's time as its leader measures it. */
export interface Life {
  readonly ttl: number
  readonly at: number
}

/** Keys that go with one entry, so that it takes little time to apply. */
export const MAX_EXPIRED = 1_000

/** What became of a write. `version` is the write's own, or, when it failed, the key's; 0 for none. */
export type Outcome =
  | { readonly ok: true; readonly version: Version }
  | { readonly ok: false; readonly reason: 'condition' | 'not-found'; readonly version: Version }

/** What a command is answered. */
export type Result =
  /** `first`: the entry at which a write that is repeated was carried out. Now nothing was. */
  | (Outcome & { readonly first?: Position; readonly expired?: undefined })
  /** Another write has the name. */
  | { readonly ok: false; readonly reason: 'reused'; readonly version: Version }
  /** Time has passed: these keys are gone. */
  | {
      readonly ok: true
      readonly version: Version
      readonly expired: readonly string[]
      readonly first?: undefined
    }

export type Question =
  { readonly type: 'get'; readonly key: string } | List | { readonly type: 'clock' }

/** Asks for the keys with a prefix, in the order of their bytes. */
export interface List {
  readonly type: 'list'
  readonly prefix: string
  /** Only keys after this one. */
  readonly after: string
  /** At most so many. */
  readonly limit: number
  /** At most so many bytes of values, unless the first alone is larger. */
  readonly bytes: number
}

export interface Item extends Entry {
  readonly key: string
}

export interface Answer {
  readonly items: readonly Item[]
  /** Whether there is more to list. */
  readonly more: boolean
  /** The newest command that the answer knows of: a watch from the index after it misses nothing. */
  readonly index: Index
  /** The log's time, in ms. */
  readonly now: number
  /** To a question about the clock: when the next key expires, if any does. */
  readonly next?: number | undefined
}

export interface Store extends Contents {
  /** The log's time, in ms: as late as an entry has ever said that it is. */
  readonly now: number
  /** The last command applied. */
  readonly index: Index
  readonly answers: Answers
}

export type StoreNode = RaftNode<Command, Result, Question, Answer>

/** The key-value store as a reducer. */
export const store: Machine<Store, Command, Result, Question, Answer> = {
  initial: { ...EMPTY_CONTENTS, now: 0, index: 0, answers: NO_ANSWERS },
  apply,
  query,
  snapshot: pieces,
  fingerprint,
  restore: (state, piece) => withPiece(state, piece as Piece),
}

function apply(
  state: Store,
  command: Command,
  { index, term, run }: ApplyContext,
): readonly [Store, Result] {
  if (command[0] === 'time') return pass(state, command[1], index)
  if (command[0] !== 'once') return write(state, command, index, run)
  const [, name, digest, wanted] = command
  const known = answerTo(state.answers, name)
  if (known !== undefined) {
    const unchanged = storeOf(state, state.now, index, state.answers)
    return known.digest === digest
      ? [unchanged, { ...known.outcome, first: known.at }]
      : [unchanged, { ok: false, reason: 'reused', version: 0 }]
  }
  const [next, outcome] = write(state, wanted, index, run)
  const answers = remember(state.answers, name, { digest, outcome, at: { index, term } })
  return [storeOf(next, next.now, index, answers), outcome]
}

/** Field by field: a spread costs as much as all else that an entry takes. */
const storeOf = (
  { entries, deadlines, hash }: Contents,
  now: number,
  index: Index,
  answers: Answers,
): Store => ({ entries, deadlines, hash, now, index, answers })

/** What tells one store from another, in parts: the keys, what is remembered of requests, the time. */
function fingerprint({ hash, answers, now }: Store): string {
  return [hash >>> 0, answers.hash >>> 0, now].map((part) => part.toString(16)).join('.')
}

/** The time is what the log says, and never goes back. */
function pass(state: Store, at: number, index: Index): readonly [Store, Result] {
  const now = Math.max(state.now, at)
  const expired = overdue(state, now, MAX_EXPIRED)
  const contents = expired.reduce<Contents>((rest, key) => withoutEntry(rest, key), state)
  return [storeOf(contents, now, index, state.answers), { ok: true, version: index, expired }]
}

function write(
  state: Store,
  command: Write,
  index: Index,
  run: ApplyContext['run'],
): readonly [Store, Outcome] {
  const [type, key] = command
  const place = find(state.entries, key)
  const current = place.value
  switch (type) {
    case 'put': {
      const [, , value, condition, life] = command
      if (!holds(condition, current)) return failed(state, 'condition', current, index)
      const now = life === undefined ? state.now : Math.max(state.now, life.at)
      const expires = life && now + life.ttl
      const entry = { value: copied(value), version: index, expires }
      return written(state, withEntryAt(state, place, entry, run), now, index)
    }
    case 'delete': {
      const [, , condition] = command
      if (!holds(condition, current)) return failed(state, 'condition', current, index)
      if (current === undefined) return failed(state, 'not-found', current, index)
      return written(state, withoutEntry(state, key, current), state.now, index)
    }
    default:
      throw new Error(`a command of an unknown kind: ${String(type satisfies never)}`)
  }
}

const written = (
  { answers }: Store,
  contents: Contents,
  now: number,
  index: Index,
): readonly [Store, Outcome] => [
  storeOf(contents, now, index, answers),
  { ok: true, version: index },
]

const failed = (
  state: Store,
  reason: 'condition' | 'not-found',
  current: Entry | undefined,
  index: Index,
): readonly [Store, Outcome] => [
  storeOf(state, state.now, index, state.answers),
  { ok: false, reason, version: current?.version ?? 0 },
]

function holds(condition: Condition, current: Entry | undefined): boolean {
  if (condition === null) return true
  if (condition === 'absent') return current === undefined
  if (condition === 'present') return current !== undefined
  return current?.version === condition
}

/** A decoded value is a view on the log's bytes, which it would keep in memory. */
const copied = (value: Uint8Array): Uint8Array => new Uint8Array(value)

function query({ entries, deadlines, index, now }: Store, question: Question): Answer {
  switch (question.type) {
    case 'clock': {
      const [first] = ascend(deadlines)
      return { items: [], more: false, index, now, next: first && ordinalIn(first.key) }
    }
    case 'get': {
      const entry = get(entries, question.key)
      const items = entry === undefined ? [] : [{ key: question.key, ...entry }]
      return { items, more: false, index, now }
    }
    case 'list':
      return { ...list(entries, question), index, now }
  }
}

function list(
  entries: Tree<Entry>,
  { prefix, after, limit, bytes }: List,
): Pick<Answer, 'items' | 'more'> {
  const items: Item[] = []
  let size = 0
  for (const { key, value: entry } of ascend(entries, laterOf(prefix, after))) {
    if (!key.startsWith(prefix)) break
    if (key === after) continue
    size += entry.value.length
    const isFull = items.length >= limit || (size > bytes && items.length > 0)
    if (isFull) return { items, more: true }
    items.push({ key, ...entry })
  }
  return { items, more: false }
}

const laterOf = (a: string, b: string): string => (compareKeys(a, b) > 0 ? a : b)
