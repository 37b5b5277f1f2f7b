import { Search } from './search.ts'

/**
 * A sorted map that never changes: `set` and `remove` answer with a new tree that shares all but O(log n) nodes
 * with the old one. It is a B+ tree: the values are in leaves of one depth, and every node but the root has from
 * `WIDTH / 2` to `WIDTH` parts, so that a path is short and a copy of it is a few small arrays.
 */
export type Tree<V> = Node<V> | undefined

type Node<V> = Leaf<V> | Inner<V>

interface Leaf<V> {
  readonly keys: readonly string[]
  readonly values: readonly V[]
  readonly children: undefined
  readonly owner: Owner
}

/** Whose work in progress a node is: nobody else has seen it yet. */
export type Owner = object | undefined

interface Inner<V> {
  /**
   * None in the child at the same place is before it, and all in the child before are. The first is the one that stands for this
   * node in its parent; on the way to the first leaf, where there is none before, keys may be before it.
   */
  readonly keys: readonly string[]
  readonly values: undefined
  readonly children: readonly Node<V>[]
  readonly owner: Owner
}

/** Most parts of a node. */
export const WIDTH = 32

export interface Pair<V> {
  readonly key: string
  readonly value: V
}

/** Where a key is in a tree, or would be: what was looked for once need not be looked for again to be written. */
export interface Place<V> {
  readonly tree: Node<V>
  readonly key: string
  /** `undefined` where there is none. */
  readonly value: V | undefined
  readonly leaf: Leaf<V>
  /** The place of the last key in the leaf that is not after it. */
  readonly at: number
}

export function find<V>(tree: Tree<V>, key: string): Place<V> {
  const root = tree ?? NOTHING
  const search = new Search(key)
  let node: Node<V> = root
  while (node.children !== undefined) node = node.children[search.childIn(node.keys)]!
  const at = search.lastUpTo(node.keys)
  const value = node.keys[at] === key ? node.values[at] : undefined
  return { tree: root, key, value, leaf: node, at }
}

export const get = <V>(tree: Tree<V>, key: string): V | undefined => find(tree, key).value

export const set = <V>(tree: Tree<V>, key: string, value: V): Tree<V> =>
  setAt(find(tree, key), value)

/**
 * The tree in which a place was found, with a value there. What was made for an owner before is changed in place for the same
 * owner: nobody else may have the tree yet.
 */
export function setAt<V>(place: Place<V>, value: V, owner?: Owner): Tree<V> {
  const { tree, key, leaf, at } = place
  // Where a leaf is an owner's, so is all that leads to it.
  if (isOf(owner, leaf) && leaf.keys[at] === key) {
    put(leaf.values, at, value)
    return tree
  }
  const root = withValue(tree, place, value, owner)
  if (root.keys.length <= WIDTH) return root
  const [low, high] = halves(root, owner)
  return inner([low.keys[0]!, high.keys[0]!], [low, high], owner)
}

/** The node with a value at a place below, of which there may then be one part too many. */
function withValue<V>(
  node: Node<V>,
  place: Place<V>,
  value: V,
  owner: Owner,
  search = new Search(place.key),
): Node<V> {
  const { keys } = node
  const { key, at } = place
  if (node.children === undefined) {
    if (keys[at] === key) return leaf(keys, replaced(node.values, at, value), owner)
    return leaf(inserted(keys, at + 1, key), inserted(node.values, at + 1, value), owner)
  }
  const on = search.childIn(keys)
  return withChild(node, on, withValue(node.children[on]!, place, value, owner, search), owner)
}

/** A node with another child at a place: with two, if that has a part too many. */
function withChild<V>(node: Inner<V>, at: number, child: Node<V>, owner: Owner): Node<V> {
  const { keys, children } = node
  if (child.keys.length > WIDTH) {
    const [low, high] = halves(child, owner)
    return inner(
      inserted(keys, at + 1, high.keys[0]!),
      inserted(replaced(children, at, low), at + 1, high),
      owner,
    )
  }
  if (!isOf(owner, node)) return inner(keys, replaced(children, at, child), owner)
  put(children, at, child)
  return node
}

const isOf = (owner: Owner, node: Node<unknown>): boolean =>
  owner !== undefined && node.owner === owner

/** The one place where something is changed that exists already. */
function put<T>(items: readonly T[], at: number, item: T): void {
  ;(items as T[])[at] = item
}

/** The tree without `key`: the very same tree when `key` is not in it. */
export function remove<V>(tree: Tree<V>, key: string): Tree<V> {
  if (tree === undefined) return undefined
  const root = drop(tree, key)
  if (root.keys.length === 0) return undefined
  return root.children?.length === 1 ? root.children[0] : root
}

/** The pairs in order, beginning with the first key that is not before `start`. */
export function* ascend<V>(tree: Tree<V>, start = ''): Generator<Pair<V>, void> {
  const path: { readonly nodes: readonly Node<V>[]; next: number }[] = []
  let node: Tree<V> = tree
  let from = start
  let search = new Search(start)
  while (node !== undefined) {
    if (node.children !== undefined) {
      const at = search.childIn(node.keys)
      path.push({ nodes: node.children, next: at + 1 })
      node = node.children[at]
      continue
    }
    const { keys, values }: Leaf<V> = node
    const at = search.lastUpTo(keys)
    for (let i = keys[at] === from ? at : at + 1; i < keys.length; i++) {
      yield { key: keys[i]!, value: values[i]! }
    }
    from = ''
    search = new Search(from)
    while (path.length > 0 && path.at(-1)!.next === path.at(-1)!.nodes.length) path.pop()
    const level = path.at(-1)
    node = level?.nodes[level.next++]
  }
}

/** Its values belong to it alone, its keys need not. */
const leaf = <V>(keys: readonly string[], values: readonly V[], owner?: Owner): Leaf<V> => ({
  keys,
  values,
  children: undefined,
  owner,
})

/** Its children belong to it alone, its keys need not. */
const inner = <V>(
  keys: readonly string[],
  children: readonly Node<V>[],
  owner?: Owner,
): Inner<V> => ({
  keys,
  values: undefined,
  children,
  owner,
})

const NOTHING: Leaf<never> = leaf([], [])

/** The node without a key, which may then have a part too few. */
function drop<V>(node: Node<V>, key: string, search = new Search(key)): Node<V> {
  const { keys } = node
  if (node.children !== undefined) {
    const at = search.childIn(keys)
    const before = node.children[at]!
    const child = drop(before, key, search)
    if (child === before) return node
    const children = replaced(node.children, at, child)
    const isFew = child.keys.length < WIDTH / 2 && children.length > 1
    return isFew ? shared(keys, children, Math.max(0, at - 1)) : inner(keys, children)
  }
  const at = search.lastUpTo(keys)
  if (keys[at] !== key) return node
  return leaf(without(keys, at), without(node.values, at))
}

/** The parts of the children at `at` and behind it in one child, or in two alike. */
function shared<V>(keys: readonly string[], children: readonly Node<V>[], at: number): Node<V> {
  const whole = joined(children[at]!, children[at + 1]!)
  if (whole.keys.length <= WIDTH) {
    return inner(without(keys, at + 1), replaced(without(children, at + 1), at, whole))
  }
  const [low, high] = halves(whole)
  return inner(
    replaced(keys, at + 1, high.keys[0]!),
    replaced(replaced(children, at, low), at + 1, high),
  )
}

function joined<V>(low: Node<V>, high: Node<V>): Node<V> {
  const keys = [...low.keys, ...high.keys]
  return low.children === undefined || high.children === undefined
    ? leaf(keys, [...low.values!, ...high.values!])
    : inner(keys, [...low.children, ...high.children])
}

function halves<V>(
  { keys, values, children }: Node<V>,
  owner?: Owner,
): readonly [Node<V>, Node<V>] {
  const half = keys.length >>> 1
  const [low, high] = [keys.slice(0, half), keys.slice(half)]
  return children === undefined
    ? [leaf(low, values.slice(0, half), owner), leaf(high, values.slice(half), owner)]
    : [inner(low, children.slice(0, half), owner), inner(high, children.slice(half), owner)]
}

function replaced<T>(items: readonly T[], at: number, item: T): readonly T[] {
  const copy = items.slice()
  copy[at] = item
  return copy
}

function inserted<T>(items: readonly T[], at: number, item: T): readonly T[] {
  const copy = items.slice()
  copy.splice(at, 0, item)
  return copy
}

function without<T>(items: readonly T[], at: number): readonly T[] {
  const copy = items.slice()
  copy.splice(at, 1)
  return copy
}
