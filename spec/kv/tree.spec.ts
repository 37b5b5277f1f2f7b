import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys } from '../../kv/keys.ts'
import { ascend, get, remove, set, type Tree } from '../../kv/tree.ts'

const keys = fc.oneof(
  fc.stringMatching(/^[ab]{0,4}$/),
  fc.string({ unit: 'binary', minLength: 0, maxLength: 4 }),
)

const bytewise = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe('the order of keys', () => {
  it('is the order of their bytes [F48]', () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(bytewise(a, b))
      }),
      { numRuns: 1000 },
    )
  })

  it('puts surrogate pairs after all that fits one unit', () => {
    const sorted = ['', 'a', 'a\0', 'aa', 'é', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}']
    expect([...sorted].reverse().sort(compareKeys)).toEqual(sorted)
  })
})

type Edit = readonly ['set', string, number] | readonly ['remove', string]

const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.oneof(
    fc.tuple(fc.constant('set' as const), keys, fc.integer()),
    fc.tuple(fc.constant('remove' as const), keys),
  ),
  { maxLength: 60 },
)

const edit = (tree: Tree<number>, [type, key, value]: Edit): Tree<number> =>
  type === 'set' ? set(tree, key, value) : remove(tree, key)

const contents = (tree: Tree<number>, start?: string) =>
  [...ascend(tree, start)].map(({ key, value }) => [key, value] as const)

const sorted = (model: ReadonlyMap<string, number>) => [...model].sort(([a], [b]) => bytewise(a, b))

/** The height, or an error when siblings differ by more than 1. */
function checkedHeight(tree: Tree<number>): number {
  if (tree === undefined) return 0
  const left = checkedHeight(tree.left)
  const right = checkedHeight(tree.right)
  expect(Math.abs(left - right)).toBeLessThanOrEqual(1)
  expect(tree.height).toBe(Math.max(left, right) + 1)
  return tree.height
}

describe('the tree', () => {
  it('holds what a map holds, in order, and stays balanced', () => {
    fc.assert(
      fc.property(edits, keys, (all, start) => {
        const model = new Map<string, number>()
        let tree: Tree<number>
        for (const it of all) {
          tree = edit(tree, it)
          if (it[0] === 'set') model.set(it[1], it[2])
          else model.delete(it[1])
          checkedHeight(tree)
        }
        expect(contents(tree)).toEqual(sorted(model))
        expect(contents(tree, start)).toEqual(
          sorted(model).filter(([key]) => bytewise(key, start) >= 0),
        )
        for (const { 1: key } of all) expect(get(tree, key)).toBe(model.get(key))
      }),
      { numRuns: 300 },
    )
  })

  it('never changes once it exists', () => {
    fc.assert(
      fc.property(edits, (all) => {
        const trees: Tree<number>[] = [undefined]
        const before = [contents(undefined)]
        for (const it of all) {
          trees.push(edit(trees.at(-1), it))
          before.push(contents(trees.at(-1)))
        }
        expect(trees.map((tree) => contents(tree))).toEqual(before)
      }),
    )
  })

  it('shares all but the path to the key with the tree before', () => {
    let tree: Tree<number>
    for (let i = 0; i < 10_000; i++) tree = set(tree, `key${i}`, i)
    const old = new Set(ascend(tree))
    const fresh = [...ascend(set(tree, 'key5000', -1))].filter((it) => !old.has(it))
    expect(fresh.length).toBeLessThanOrEqual(18)
  })

  it('is the very same without a key that it does not have', () => {
    const tree = set(set(undefined, 'a', 1), 'b', 2)
    expect(remove(tree, 'c')).toBe(tree)
  })

  it.each(['__proto__', 'constructor', 'toString', '\0', 'é', 'e\u0301'])(
    'takes %j for an ordinary key [F48]',
    (key) => {
      expect(get(undefined, key)).toBeUndefined()
      const tree = set(set(undefined, 'é', 1), key, 2)
      expect(get(tree, key)).toBe(2)
      expect(get(remove(tree, key), key)).toBeUndefined()
    },
  )
})
