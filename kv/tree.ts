import { compareKeys } from './keys.ts'

/**
 * A sorted map that never changes: `set` and `remove` answer with a new tree that shares all but
 * O(log n) nodes with the old one. It is an AVL tree: the heights of two siblings differ by at most 1.
 */
export type Tree<V> = Branch<V> | undefined

export interface Branch<V> {
  readonly key: string
  readonly value: V
  readonly left: Tree<V>
  readonly right: Tree<V>
  readonly height: number
}

export function get<V>(tree: Tree<V>, key: string): V | undefined {
  while (tree !== undefined) {
    const order = compareKeys(key, tree.key)
    if (order === 0) return tree.value
    tree = order < 0 ? tree.left : tree.right
  }
  return undefined
}

export function set<V>(tree: Tree<V>, key: string, value: V): Branch<V> {
  if (tree === undefined) return branch(key, value, undefined, undefined)
  const order = compareKeys(key, tree.key)
  if (order === 0) return branch(key, value, tree.left, tree.right)
  return order < 0
    ? balance(tree, set(tree.left, key, value), tree.right)
    : balance(tree, tree.left, set(tree.right, key, value))
}

/** The tree without `key`: the very same tree when `key` is not in it. */
export function remove<V>(tree: Tree<V>, key: string): Tree<V> {
  if (tree === undefined) return undefined
  const order = compareKeys(key, tree.key)
  if (order === 0) return join(tree.left, tree.right)
  if (order < 0) {
    const left = remove(tree.left, key)
    return left === tree.left ? tree : balance(tree, left, tree.right)
  }
  const right = remove(tree.right, key)
  return right === tree.right ? tree : balance(tree, tree.left, right)
}

/** The branches in order, beginning with the first key that is not before `start`. */
export function* ascend<V>(tree: Tree<V>, start = ''): Generator<Branch<V>, void> {
  const path: Branch<V>[] = []
  while (tree !== undefined) {
    const ahead = compareKeys(tree.key, start) >= 0
    if (ahead) path.push(tree)
    tree = ahead ? tree.left : tree.right
  }
  for (let next = path.pop(); next !== undefined; next = path.pop()) {
    yield next
    for (let below = next.right; below !== undefined; below = below.left) path.push(below)
  }
}

const heightOf = <V>(tree: Tree<V>): number => (tree === undefined ? 0 : tree.height)

function branch<V>(key: string, value: V, left: Tree<V>, right: Tree<V>): Branch<V> {
  return { key, value, left, right, height: Math.max(heightOf(left), heightOf(right)) + 1 }
}

/** The root with new subtrees, whose heights differ by at most 2: one rotation, or two, mends that. */
function balance<V>(root: Branch<V>, left: Tree<V>, right: Tree<V>): Branch<V> {
  const lean = heightOf(left) - heightOf(right)
  if (lean > 1) {
    const high = left!
    return heightOf(high.left) >= heightOf(high.right)
      ? rotateRight(root, high, right)
      : rotateRight(root, rotateLeft(high, high.left, high.right!), right)
  }
  if (lean < -1) {
    const high = right!
    return heightOf(high.right) >= heightOf(high.left)
      ? rotateLeft(root, left, high)
      : rotateLeft(root, left, rotateRight(high, high.left!, high.right))
  }
  return branch(root.key, root.value, left, right)
}

function rotateRight<V>(root: Branch<V>, left: Branch<V>, right: Tree<V>): Branch<V> {
  return branch(left.key, left.value, left.left, branch(root.key, root.value, left.right, right))
}

function rotateLeft<V>(root: Branch<V>, left: Tree<V>, right: Branch<V>): Branch<V> {
  return branch(right.key, right.value, branch(root.key, root.value, left, right.left), right.right)
}

/** Both trees in one, where every key of `left` is before every key of `right`. */
function join<V>(left: Tree<V>, right: Tree<V>): Tree<V> {
  if (left === undefined) return right
  if (right === undefined) return left
  let first = right
  while (first.left !== undefined) first = first.left
  return balance(first, left, remove(right, first.key))
}
