import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys } from '../../kv/keys.ts'
import { ascend, find, get, remove, set, setAt, WIDTH, type Tree } from '../../kv/tree.ts'

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
  { maxLength: 120 },
)

const edit = (tree: Tree<number>, [type, key, value]: Edit): Tree<number> =>
  type === 'set' ? set(tree, key, value) : remove(tree, key)

const contents = (tree: Tree<number>, start?: string) =>
  [...ascend(tree, start)].map(({ key, value }) => [key, value] as const)

const sorted = (model: ReadonlyMap<string, number>) => [...model].sort(([a], [b]) => bytewise(a, b))

/** The height, or an error when leaves are not all as deep, or a node but the root is less than half full. */
function checkedHeight(tree: Tree<number>, fewest = 1): number {
  if (tree === undefined) return 0
  const { keys, values, children } = tree
  expect(keys.length).toBeGreaterThanOrEqual(fewest)
  expect(keys.length).toBeLessThanOrEqual(WIDTH)
  expect((children ?? values).length).toBe(keys.length)
  if (children === undefined) return 1
  expect(children.length).toBeGreaterThan(1)
  for (const [i, child] of children.entries()) {
    if (i > 0 && child.children !== undefined) expect(child.keys[0]).toBe(keys[i])
    if (i > 0 && child.children === undefined) expect(child.keys[0]! >= keys[i]!).toBe(true)
  }
  const [height, ...others] = new Set(children.map((child) => checkedHeight(child, WIDTH / 2)))
  expect(others).toEqual([])
  return height! + 1
}

const nodesOf = (tree: Tree<number>): Tree<number>[] =>
  tree === undefined ? [] : [tree, ...(tree.children ?? []).flatMap(nodesOf)]

/** Numbers from 0 on in an order that looks like chance, and is always the same. */
const shuffled = (count: number, step: number): number[] =>
  Array.from({ length: count }, (_, i) => (i * step) % count)

describe('the tree', () => {
  it.each([
    { added: 1, gone: 1 },
    { added: 1, gone: 3001 },
    { added: 1999, gone: 7 },
    { added: 4999, gone: 4999 },
    { added: 2477, gone: 1 },
  ])('grows by thousands of keys, and shrinks to nothing, in whatever order: %o', (steps) => {
    const count = 5_000
    const name = (i: number): string => `k${String(i).padStart(4, '0')}`
    let tree: Tree<number>
    for (const [i, n] of shuffled(count, steps.added).entries()) {
      tree = set(tree, name(n), n)
      if (i % 97 === 0) checkedHeight(tree)
    }
    const left = new Set(shuffled(count, 1))
    for (const [i, n] of shuffled(count, steps.gone).entries()) {
      tree = remove(tree, name(n))
      left.delete(n)
      if (i % 97 > 0) continue
      checkedHeight(tree)
      expect(contents(tree)).toEqual([...left].map((it) => [name(it), it]))
      expect(contents(tree, name(2_500))).toEqual(
        [...left].filter((it) => it >= 2_500).map((it) => [name(it), it]),
      )
      expect([get(tree, name(n)), get(tree, name((n + 1) % count))]).toEqual([
        undefined,
        left.has((n + 1) % count) ? (n + 1) % count : undefined,
      ])
    }
    expect(tree).toBeUndefined()
  })

  it('finds what came before the first key of a part, also when parts are joined', () => {
    let tree: Tree<number>
    for (let n = 4_000; n >= 0; n -= 2) tree = set(tree, String(n).padStart(5, '0'), n)
    for (let n = 1; n < 4_000; n += 2) {
      tree = remove(tree, String(n - 1).padStart(5, '0'))
      tree = set(tree, String(n).padStart(5, '0'), n)
      if (n % 101 === 0) checkedHeight(tree)
    }
    expect(contents(tree).map(([, n]) => n)).toEqual([
      ...Array.from({ length: 2_000 }, (_, i) => 2 * i + 1),
      4_000,
    ])
    for (let n = 1; n < 4_000; n += 2) expect(get(tree, String(n).padStart(5, '0'))).toBe(n)
  })

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

  it('grows in place for one owner as it does without, and what others have stays as it is', () => {
    const name = (i: number): string => `k${String(i).padStart(4, '0')}`
    let [tree, alone]: Tree<number>[] = [undefined, undefined]
    const trees: Tree<number>[] = []
    const before: unknown[] = []
    for (const [i, n] of shuffled(3_000, 1_999).entries()) {
      if (i % 50 === 0) {
        trees.push(tree)
        before.push(contents(tree))
      }
      const owner = before.at(-1) as object
      for (const it of [n, (7 * n) % 1_000]) {
        tree = setAt(find(tree, name(it)), i, owner)
        alone = set(alone, name(it), i)
      }
      if (i % 20 === 0) tree = remove(tree, name(n))
      if (i % 20 === 0) alone = remove(alone, name(n))
    }
    checkedHeight(tree)
    expect(contents(tree)).toEqual(contents(alone))
    expect(trees.map((it) => contents(it))).toEqual(before)
  })

  it('makes nothing new for an owner who has made all of it', () => {
    const owner = {}
    let tree: Tree<number>
    for (let i = 0; i < 2_000; i++) tree = setAt(find(tree, `key${i}`), i, owner)
    const nodes = nodesOf(tree)
    const same = setAt(find(tree, 'key77'), -1, owner)
    expect(same).toBe(tree)
    expect(nodesOf(same)).toEqual(nodes)
    expect(get(same, 'key77')).toBe(-1)
    const other = setAt(find(tree, 'key77'), -2, {})
    expect([get(tree, 'key77'), get(other, 'key77')]).toEqual([-1, -2])
  })

  it('shares all but the path to the key with the tree before', () => {
    let tree: Tree<number>
    for (let i = 0; i < 10_000; i++) tree = set(tree, `key${i}`, i)
    const old = new Set(nodesOf(tree))
    const fresh = nodesOf(set(tree, 'key5000', -1)).filter((it) => !old.has(it))
    expect(fresh).toHaveLength(checkedHeight(tree))
    expect(fresh.length).toBeLessThanOrEqual(4)
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
