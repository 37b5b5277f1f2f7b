import { map, type Observable } from 'rxjs'
import { connect as connectTo, RaftError, type ConnectOptions, type Happened } from 'rxraft/client'
import type { Consistency, Index } from 'rxraft'
import { commandCodec, resultCodec } from './codec.ts'
import type { Change } from './history.ts'
import {
  type Answer,
  type Command,
  type Condition,
  type Item,
  type Question,
  type Result,
  type Store,
  type Version,
} from './machine.ts'

export type { Change } from './history.ts'
export type { Item, Version } from './machine.ts'

export type StoreOptions = Omit<ConnectOptions, 'machine' | 'codec' | 'results' | 'cluster'> & {
  /** The cluster's name, as `rxraft serve --cluster` has it. Default: `rxraft`. */
  readonly cluster?: string
}

/** What must hold of a key for a write to take effect. */
export interface WriteOptions {
  /** `absent`, `present`, or the version that the key has. Default: anything. */
  readonly if?: Exclude<Condition, null>
  /** Milliseconds. Default: that of the client. */
  readonly timeout?: number
}

export interface ReadOptions {
  /** What the answer may miss. Default: nothing. */
  readonly consistency?: Consistency
  readonly timeout?: number
}

/** The store as seen by a program outside the cluster. Everything is cold, and errors as `rxraft/client` says. */
export interface StoreClient {
  /** Writes a value, once, and emits the key's version. A text is written as UTF-8. Errors with `ConditionFailed`. */
  put(key: string, value: string | Uint8Array, options?: WriteOptions): Observable<Version>
  /** Deletes a key, once, and emits whether there was one. Errors with `ConditionFailed`. */
  delete(key: string, options?: WriteOptions): Observable<boolean>
  /** The key with its value and version, or `undefined` when there is none. */
  get(key: string, options?: ReadOptions): Observable<Item | undefined>
  /** Keys with a prefix, in the order of their bytes: those after `after`, at most `limit` (default and most 1,000). */
  list(
    prefix: string,
    options?: ReadOptions & { readonly after?: string; readonly limit?: number },
  ): Observable<Pick<Answer, 'items' | 'more' | 'index'>>
  /**
   * Changes of keys with a prefix, from an index on (default: from now on), in order and without a gap, at whichever server there is.
   * Errors with `Compacted` when that is no longer kept: read the keys again, and watch from behind the list's `index`.
   */
  watch(prefix: string, from?: Index): Observable<Change>
  /** Closes every connection. */
  close(): void
}

/** The condition of a write did not hold, and nothing was written. `version` is the key's; 0 for none. */
export class ConditionFailed extends RaftError {
  readonly code = 'condition-failed'

  constructor(
    readonly key: string,
    readonly version: Version,
  ) {
    super(
      `the condition does not hold: "${key}" ${version === 0 ? 'is not there' : `has version ${version}`}`,
    )
  }
}

const versionOf = ({ version }: Result): Version => version

const isDone = ({ ok }: Result): boolean => ok

const written =
  <T>(key: string, project: (result: Result) => T) =>
  ({ result }: { readonly result: Result }): T => {
    if (!result.ok && result.reason !== 'not-found') {
      throw new ConditionFailed(key, result.version)
    }
    return project(result)
  }

const encoder = new TextEncoder()

/** Most bytes of values in one list. */
const LIST_BYTES = 1024 * 1024

/**
 * Connects to servers that were started with `rxraft serve … --clients HOST:PORT`.
 *
 * ```ts
 * const store = connect({ servers: ['127.0.0.1:9001'] })
 * store.put('greeting', 'hello').subscribe((version) => console.log(version))
 * ```
 *
 * Throws `ConfigError`.
 */
export function connect({ cluster = 'rxraft', ...options }: StoreOptions): StoreClient {
  const client = connectTo<Store, Command, Result, Question, Answer>({
    ...{ ...options, cluster },
    ...{ codec: commandCodec(), results: resultCodec() },
  })
  return {
    put: (key, value, { if: condition = null, timeout } = {}) => {
      const bytes = typeof value === 'string' ? encoder.encode(value) : value
      const project = written(key, versionOf)
      return client.propose(['put', key, bytes, condition], { timeout, project })
    },
    delete: (key, { if: condition = null, timeout } = {}) => {
      const project = written(key, isDone)
      return client.propose(['delete', key, condition], { timeout, project })
    },
    get: (key, read) =>
      client.query({ type: 'get', key }, read).pipe(map(({ items: [item] }) => item)),
    list: (prefix, { after = '', limit = 1_000, ...read } = {}) =>
      client.query({ type: 'list', prefix, after, limit, bytes: LIST_BYTES }, read),
    watch: (prefix, from) =>
      client.watch(prefix, from).pipe(map(({ item }: Happened<unknown>) => item as Change)),
    close: () => client.close(),
  }
}
