import type { Machine } from '../../operators/machine.ts'
import type { RaftNode } from '../../operators/engine/node.ts'
import type { RaftOptions } from '../../operators/engine/options.ts'
import type { Request } from '../checkers/observation.ts'

/** What clients change the store with. */
export type Command = Exclude<Request, { type: 'get' }>

/** What a command made of its key. */
export interface Written {
  /** For a cas: whether the key held what was expected. */
  readonly swapped: boolean
}

export type Contents = ReadonlyMap<string, string>

/** Asks for all keys and values, as text. */
const EVERYTHING = Symbol('everything')

/** A key, of which the value is told, or everything. */
export type Question = string | typeof EVERYTHING

export type StoreMachine = Machine<Contents, Command, Written, Question, string | undefined>

/** A server of the simulated cluster, which is a key-value store. */
export type StoreNode = RaftNode<Command, Written, Question, string | undefined>

/** The options that a simulated server is made from. */
export type StoreOptions = RaftOptions<Contents, Command, Written, Question, string | undefined>

/** All keys and values of a server as it is now, sorted, as JSON. */
export function everything(node: StoreNode): string {
  let all = '[]'
  const asked$ = node.query(EVERYTHING, { consistency: 'stale' })
  // Whoever cannot answer holds nothing.
  asked$
    .subscribe({ next: (contents) => (all = contents ?? ''), error: () => undefined })
    .unsubscribe()
  return all
}

/** A small key-value store. `append` puts its value behind what the key holds. */
export const store: StoreMachine = {
  initial: new Map<string, string>(),
  apply: (contents, command) => {
    const before = contents.get(command.key)
    const after = written(before, command)
    if (after === before)
      return [contents, { swapped: command.type !== 'cas' || isMet(before, command) }]
    return [new Map(contents).set(command.key, after!), { swapped: true }]
  },
  query: (contents, key) =>
    key === EVERYTHING ? JSON.stringify([...contents].sort()) : contents.get(key),
  fingerprint: (contents) => {
    let print = 0x811c9dc5
    for (const character of JSON.stringify([...contents].sort())) {
      print = Math.imul(print ^ character.charCodeAt(0), 0x01000193)
    }
    return print >>> 0
  },
  *snapshot(contents) {
    for (const [key, value] of contents) {
      for (let at = 0; at < value.length; at += PART) yield [key, value.slice(at, at + PART)]
    }
  },
  // A part comes behind what is there, so that one too many is seen.
  restore: (contents, piece) => {
    const [key, part] = piece as readonly [string, string]
    return new Map(contents).set(key, (contents.get(key) ?? '') + part)
  },
}

/** A long value goes into a snapshot in several pieces, each of so many characters. */
const PART = 200

function written(before: string | undefined, command: Command): string | undefined {
  switch (command.type) {
    case 'put':
      return command.value
    case 'append':
      return (before ?? '') + command.value
    case 'cas':
      return isMet(before, command) ? command.value : before
  }
}

// Nothing and `null` are the same on the wire.
const isMet = (
  before: string | undefined,
  { expected }: Extract<Command, { type: 'cas' }>,
): boolean => (expected ?? undefined) === before
