import type { Index } from '../../lib/types.ts'
import type { MakeChecker, Request } from './observation.ts'

/** What a key held from an entry on. */
interface Version {
  readonly index: Index
  readonly value: string
}

/**
 * A state that a snapshot brought is the one that the committed commands before it make, applied one after
 * the other (§7): a bystander applies them all.
 */
export const stateOfPrefix: MakeChecker = (violate) => {
  const versions = new Map<string, Version[]>()
  let last: Index = 0

  const valueAt = (key: string, index: Index): string | undefined =>
    versions.get(key)?.findLast((version) => version.index <= index)?.value

  const apply = (index: Index, request: Request): void => {
    const value = written(valueAt(request.key, index), request)
    if (value === undefined) return
    versions.set(request.key, [...(versions.get(request.key) ?? []), { index, value }])
  }

  const compare = (id: string, index: Index, contents: ReadonlyMap<string, string>): void => {
    for (const key of new Set([...versions.keys(), ...contents.keys()])) {
      const expected = valueAt(key, index)
      const found = contents.get(key)
      if (found === expected) continue
      violate(
        `${id} holds ${JSON.stringify(found)} for ${key} after entry ${index}, ` +
          `which should be ${JSON.stringify(expected)}`,
      )
      return
    }
  }

  return {
    name: 'a snapshot is the state of its prefix',
    observe: (seen) => {
      if (seen.type === 'state') compare(seen.id, seen.index, seen.contents)
      if (seen.type !== 'step') return
      for (const outcome of seen.step.applied.flatMap(({ outcomes }) => outcomes)) {
        const { index, command } = outcome as { readonly index: Index; readonly command: Request }
        // Another server, or another life, applies the same again.
        if (index <= last) continue
        last = index
        apply(index, command)
      }
    },
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
