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

/** A server of the simulated cluster, which is a key-value store; asked for a key, it tells the value. */
export type StoreNode = RaftNode<Command, Written, string, string | undefined>

/** The options that a simulated server is made from. */
export type StoreOptions = RaftOptions<Contents, Command, Written, string, string | undefined>

/** A small key-value store. `append` puts its value behind what the key holds. */
export const store: Machine<Contents, Command, Written, string, string | undefined> = {
  initial: new Map<string, string>(),
  apply: (contents, command) => {
    const before = contents.get(command.key)
    const after = written(before, command)
    if (after === before)
      return [contents, { swapped: command.type !== 'cas' || isMet(before, command) }]
    return [new Map(contents).set(command.key, after!), { swapped: true }]
  },
  query: (contents, key) => contents.get(key),
}

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
