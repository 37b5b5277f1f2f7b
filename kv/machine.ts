import type { ApplyContext, Index, Machine, Position, RaftNode } from 'rxraft'
import { answerTo, NO_ANSWERS, remember, type Answers } from './answers.ts'
import { compareKeys } from './keys.ts'
import { pieces, withPiece, type Piece } from './pieces.ts'
import { ascend, get, remove, set, type Tree } from './tree.ts'

/** The index of the command that wrote a value last. */
export type Version = Index

export interface Entry {
  readonly value: Uint8Array
  readonly version: Version
}

/** What must hold of a key for a write to take effect; `null` asks for nothing. */
export type Condition = null | 'absent' | 'present' | Version

/** Commands are tuples that begin with their name: what the log holds for ever must be easy to tell. */
export type Command = Write | Once

export type Write =
  | readonly ['put', key: string, value: Uint8Array, condition: Condition]
  | readonly ['delete', key: string, condition: Condition]

/** A write that is carried out once under its name; `digest` differs for different writes. */
export type Once = readonly ['once', name: string, digest: string, write: Write]

/** What became of a write. `version` is the write's own, or, when it failed, the key's; 0 for none. */
export type Outcome =
  | { readonly ok: true; readonly version: Version }
  | { readonly ok: false; readonly reason: 'condition' | 'not-found'; readonly version: Version }

/** What a command is answered. */
export type Result =
  /** `first`: the entry at which a write that is repeated was carried out. Now nothing was. */
  | (Outcome & { readonly first?: Position })
  /** Another write has the name. */
  | { readonly ok: false; readonly reason: 'reused'; readonly version: Version }

export type Question = { readonly type: 'get'; readonly key: string } | List

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
}

export interface Store {
  readonly entries: Tree<Entry>
  /** The last command applied. */
  readonly index: Index
  readonly answers: Answers
}

export type StoreNode = RaftNode<Command, Result, Question, Answer>

/** The key-value store as a reducer. */
export const store: Machine<Store, Command, Result, Question, Answer> = {
  initial: { entries: undefined, index: 0, answers: NO_ANSWERS },
  apply,
  query,
  snapshot: pieces,
  restore: (state, piece) => withPiece(state, piece as Piece),
}

function apply(
  state: Store,
  command: Command,
  { index, term }: ApplyContext,
): readonly [Store, Result] {
  if (command[0] !== 'once') return write(state, command, index)
  const [, name, digest, wanted] = command
  const known = answerTo(state.answers, name)
  if (known !== undefined) {
    return known.digest === digest
      ? [
          { ...state, index },
          { ...known.outcome, first: known.at },
        ]
      : [
          { ...state, index },
          { ok: false, reason: 'reused', version: 0 },
        ]
  }
  const [next, outcome] = write(state, wanted, index)
  const answers = remember(state.answers, name, { digest, outcome, at: { index, term } })
  return [{ ...next, answers }, outcome]
}

function write(state: Store, command: Write, index: Index): readonly [Store, Outcome] {
  const { entries } = state
  const [type, key] = command
  const current = get(entries, key)
  const failed = (reason: 'condition' | 'not-found'): readonly [Store, Outcome] => [
    { ...state, index },
    { ok: false, reason, version: current?.version ?? 0 },
  ]
  const written = (entries: Tree<Entry>): readonly [Store, Outcome] => [
    { ...state, entries, index },
    { ok: true, version: index },
  ]
  switch (type) {
    case 'put': {
      const [, , value, condition] = command
      if (!holds(condition, current)) return failed('condition')
      return written(set(entries, key, { value: copied(value), version: index }))
    }
    case 'delete': {
      const [, , condition] = command
      if (!holds(condition, current)) return failed('condition')
      if (current === undefined) return failed('not-found')
      return written(remove(entries, key))
    }
    default:
      throw new Error(`a command of an unknown kind: ${String(type satisfies never)}`)
  }
}

function holds(condition: Condition, current: Entry | undefined): boolean {
  if (condition === null) return true
  if (condition === 'absent') return current === undefined
  if (condition === 'present') return current !== undefined
  return current?.version === condition
}

/** A decoded value is a view on the log's bytes, which it would keep in memory. */
const copied = (value: Uint8Array): Uint8Array => new Uint8Array(value)

function query({ entries, index }: Store, question: Question): Answer {
  switch (question.type) {
    case 'get': {
      const entry = get(entries, question.key)
      const items = entry === undefined ? [] : [{ key: question.key, ...entry }]
      return { items, more: false, index }
    }
    case 'list':
      return { ...list(entries, question), index }
  }
}

function list(entries: Tree<Entry>, { prefix, after, limit, bytes }: List): Omit<Answer, 'index'> {
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
