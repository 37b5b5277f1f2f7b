import { Compacted, type NodeId, type Members } from 'rxraft'
import type { ServeClientsOptions, Source } from 'rxraft/client/server'
import { placeOf } from './addresses.ts'
import { resultCodec } from './codec.ts'
import type { Change, History } from './history.ts'
import { MAX_KEY_BYTES } from './keys.ts'
import type { Command, Question, Result } from './machine.ts'

type Port = Required<
  Pick<
    ServeClientsOptions<Command, Question, Result>,
    'addressOf' | 'checkCommand' | 'checkQuestion' | 'results' | 'watch'
  >
>

/** Changes that are read at a time, and those of the last entry besides. */
const PIECE = 256

/** Most keys of one list, and most bytes of their values. */
const LIST = { keys: 1_000, bytes: 1024 * 1024 } as const

/** What clients of `rxraft/kv` may do with a store, and where else they find it. */
export const clientPort = (history: History, maxValueBytes: number): Port => ({
  addressOf: (id: NodeId, members: Members) => placeOf(members, id)?.clients,
  checkCommand: (command) => faultOf(command, maxValueBytes),
  checkQuestion,
  results: resultCodec(),
  watch: (prefix) => {
    if (typeof prefix !== 'string') throw new TypeError('a prefix should be a string')
    return changes(history, prefix)
  },
})

/** What is wrong with something that should be a write without a name and without a life. */
function faultOf(command: unknown, maxValueBytes: number): string | undefined {
  if (!Array.isArray(command)) return 'a command should be a tuple'
  const [type, key, ...rest] = command as readonly unknown[]
  if (!isKey(key)) return `a key should be a text of 1 to ${MAX_KEY_BYTES} bytes`
  if (type === 'delete') return rest.length === 1 ? conditionFault(rest[0]) : LENGTH
  if (type !== 'put') return "a command should be 'put' or 'delete'"
  if (rest.length !== 2) return LENGTH
  const [value, condition] = rest
  if (!(value instanceof Uint8Array)) return 'a value should be bytes'
  if (value.length > maxValueBytes) {
    return `the value has ${value.length} bytes: at most ${maxValueBytes} are allowed`
  }
  return conditionFault(condition)
}

const LENGTH = 'a command should have a key, for a put a value, and a condition'

const isKey = (key: unknown): key is string =>
  typeof key === 'string' && key !== '' && Buffer.byteLength(key) <= MAX_KEY_BYTES

function conditionFault(condition: unknown): string | undefined {
  const isWord = condition === null || condition === 'absent' || condition === 'present'
  if (isWord || isCount(condition)) return undefined
  return "a condition should be null, 'absent', 'present' or a version"
}

function checkQuestion(question: unknown): string | undefined {
  const asked = Object(question) as Record<string, unknown>
  if (asked['type'] === 'get') return isKey(asked['key']) ? undefined : 'a get should name a key'
  if (asked['type'] !== 'list') return "a question should be 'get' or 'list'"
  const { prefix, after, limit, bytes } = asked
  if (typeof prefix !== 'string' || typeof after !== 'string') return 'a list should have a prefix'
  if (!isCount(limit) || limit > LIST.keys) return `a list should have at most ${LIST.keys} keys`
  return isCount(bytes) && bytes <= LIST.bytes
    ? undefined
    : `a list should have at most ${LIST.bytes} bytes`
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

/** The changes of keys with a prefix, as they lie in the history that all share. */
function changes(history: History, prefix: string): Source<Change> & { readonly from: number } {
  const read = (from: number) => {
    if (from < history.first) throw new Compacted(from, history.first)
    const items: { readonly index: number; readonly item: Change }[] = []
    let position = history.seek(from)
    for (; position < history.end; position++) {
      const change = history.at(position)!
      const isAnother = items.at(-1)?.index !== change.version
      if (items.length >= PIECE && isAnother) return { items, next: change.version }
      if (change.key.startsWith(prefix)) items.push({ index: change.version, item: change })
    }
    return { items, next: Math.max(from, history.last + 1) }
  }
  return { read, grown$: history.grown$, from: history.last + 1 }
}
