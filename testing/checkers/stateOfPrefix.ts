import type { Index } from '../../lib/types.ts'
import type { MakeChecker, Request } from './observation.ts'
import { Versions } from './versions.ts'

/**
 * A state that a snapshot brought is the one that the committed commands before it make, applied one after
 * the other (§7): a bystander applies them all.
 */
export const stateOfPrefix: MakeChecker = (violate) => {
  const versions = new Versions()
  let last: Index = 0

  const compare = (id: string, index: Index, contents: ReadonlyMap<string, string>): void => {
    for (const key of new Set([...versions.keys, ...contents.keys()])) {
      const expected = versions.valueAt(key, index)
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
        versions.apply(index, command)
      }
    },
  }
}
