import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys } from '../../kv/keys.ts'
import { Search } from '../../kv/search.ts'
import { ascend, find, set, WIDTH, type Tree } from '../../kv/tree.ts'

const treeOf = (keys: readonly string[]): Tree<string> =>
  keys.reduce<Tree<string>>((tree, key) => set(tree, key, key), undefined)

const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => prefix + String(i).padStart(3, '0'))

/** Keys with much in common, and some with little. */
const keys = fc.uniqueArray(
  fc.tuple(
    fc.constantFrom('', 'a', 'shared/', 'shared/more/', 'shared/\u{10000}', 'shared/\uffff'),
    fc.string({ unit: fc.constantFrom('a', 'b', '\uffff', '\u{10000}'), maxLength: 6 }),
  ),
  { maxLength: 200, selector: ([prefix, rest]) => prefix + rest },
)

describe('the search for a key', () => {
  it('finds each where it belongs, whatever they have in common', () => {
    fc.assert(
      fc.property(keys, fc.string({ unit: fc.constantFrom('a', 'b') }), (parts, other) => {
        const all = parts.map(([prefix, rest]) => prefix + rest)
        const tree = treeOf(all)
        for (const key of all) expect(find(tree, key).value).toBe(key)
        const behind = all.filter((key) => compareKeys(key, other) >= 0).sort(compareKeys)
        expect([...ascend(tree, other)].map(({ key }) => key)).toEqual(behind)
      }),
      { numRuns: 300 },
    )
  })

  it('finds keys that are before the one that stands for their node', () => {
    const many = numbered('shared/', 2 * WIDTH)
    const before = numbered('a', WIDTH / 2 - 2)
    const tree = treeOf([...many, ...before])
    expect([...before, ...many].map((key) => find(tree, key).value)).toEqual([...before, ...many])
  })

  it('looks again at no character that the key has in common with both of its bounds', () => {
    const looked: number[] = []
    class Watched extends String {
      override charCodeAt(at: number): number {
        looked.push(at)
        return super.charCodeAt(at)
      }
    }
    const all = numbered('shared/', WIDTH)
    const key = new Watched('shared/013') as unknown as string
    expect(new Search(key).lastUpTo(all)).toBe(13)
    expect(looked.filter((at) => at === 0)).toHaveLength(2)
  })
})
