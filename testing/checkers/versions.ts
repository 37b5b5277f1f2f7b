import type { Index } from '../../lib/types.ts'
import type { Request } from './observation.ts'

/** What a key held from an entry on. */
interface Version {
  readonly index: Index
  readonly value: string
}

/** What the keys of the store held after each entry, as a bystander finds out who applies all commands. */
export class Versions {
  readonly #versions = new Map<string, Version[]>()

  get keys(): Iterable<string> {
    return this.#versions.keys()
  }

  valueAt(key: string, index: Index): string | undefined {
    return this.#versions.get(key)?.findLast((version) => version.index <= index)?.value
  }

  apply(index: Index, request: Request): void {
    const versions = this.#versions.get(request.key) ?? []
    const value = written(versions.at(-1)?.value, request)
    if (value === undefined) return
    versions.push({ index, value })
    this.#versions.set(request.key, versions)
  }

  /** The first entry after which a key holds a value; 0 for none at all. */
  firstWith(key: string, value: string | undefined): Index | undefined {
    if (value === undefined) return 0
    return this.#versions.get(key)?.find((version) => version.value === value)?.index
  }

  /** The last entry after which it does, `Infinity` while it does; `undefined` when it never has. */
  lastWith(key: string, value: string | undefined): Index | undefined {
    const versions = this.#versions.get(key) ?? []
    const at = value === undefined ? -1 : versions.findLastIndex((it) => it.value === value)
    if (at < 0 && value !== undefined) return undefined
    const next = versions[at + 1]
    return next === undefined ? Infinity : next.index - 1
  }
}

/** What the store holds for a key after a command; `undefined` when that changes nothing. */
function written(before: string | undefined, request: Request): string | undefined {
  switch (request.type) {
    case 'put':
      return request.value
    case 'append':
      return (before ?? '') + request.value
    case 'cas':
      return (request.expected ?? undefined) === before ? request.value : undefined
    case 'get':
      return undefined
  }
}
