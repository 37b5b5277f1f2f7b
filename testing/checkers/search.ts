import { Tried, withMark, withoutMark, type Config } from './config.ts'
import { momentsOf, opsOf, seenBy, type Moment, type Op } from './history.ts'
import type { Operation } from './linearizability.ts'
import { NOTHING, Register, type Value } from './register.ts'

/** Placements tried before the search is given up: a few seconds. */
const BUDGET = 1_000_000

/** So many of the next observations to return are looked ahead to. */
const AHEAD = 6

export interface Found {
  readonly type: 'linearizable' | 'violation' | 'undecided'
  readonly message: string
}

/** A configuration at a moment, whose operation has its place in it or does not yet. */
interface Node {
  readonly at: number
  readonly config: Config
}

/**
 * Decides one key by just-in-time linearization (Lowe, 2017): an operation gets its place at last when one
 * that is open with it returns, and what changes nothing gets it as soon as it can. Goes depth first and
 * tries no configuration twice (Wing and Gong, 1993).
 */
export function search(operations: readonly Operation[]): Found {
  return new Search(operations).run()
}

class Search {
  readonly #register: Register
  readonly #ops: readonly Op[]
  readonly #moments: readonly Moment[]
  readonly #tried: readonly Tried[]
  /** Those that must find a value, by their return. */
  readonly #observers: readonly Op[]
  /** The first of the observers that returns at a moment or later. */
  readonly #nextObserver: readonly number[]
  readonly #sources = new Map<Value, readonly Op[]>()
  #tries = 0
  /** What could no longer be explained at the furthest moment. */
  #blamed: { readonly at: number; readonly op: Op } | undefined

  constructor(operations: readonly Operation[]) {
    this.#register = new Register(seenBy(operations))
    this.#ops = opsOf(operations, this.#register)
    this.#moments = momentsOf(this.#ops)
    this.#tried = this.#moments.map(() => new Tried())
    const ends = this.#moments.map(({ op }) => op)
    this.#observers = ends.filter(({ finds }) => finds?.type === 'equal')
    let next = 0
    this.#nextObserver = ends.map((op) => (op === this.#observers[next] ? next++ : next))
  }

  run(): Found {
    const start = this.#enter(0, { value: NOTHING, placed: '', spent: '' })
    if (this.#moments.length === 0) return { type: 'linearizable', message: '' }
    const path = [this.#further(start)]
    let furthest = 0
    while (path.length > 0 && this.#tries <= BUDGET) {
      const { value: node, done } = path.at(-1)!.next()
      if (done) path.pop()
      else if (node.at === this.#moments.length) return { type: 'linearizable', message: '' }
      else if (this.#tried[node.at]!.add(node.config)) {
        furthest = Math.max(furthest, node.at)
        path.push(this.#further(node))
      }
    }
    if (path.length > 0) {
      return { type: 'undecided', message: `given up after ${BUDGET} placements` }
    }
    const op = this.#blamed?.at === furthest ? this.#blamed.op : this.#moments[furthest]!.op
    return { type: 'violation', message: `no order explains ${tell(op)}` }
  }

  #enter(at: number, config: Config): Node {
    const moment = this.#moments[at]
    return { at, config: moment === undefined ? config : this.#settle(config, moment.begun) }
  }

  *#further({ at, config }: Node): Generator<Node, undefined> {
    const moment = this.#moments[at]!
    const { mark } = moment.op
    if (config.placed.includes(mark)) {
      yield this.#enter(at + 1, { ...config, placed: withoutMark(config.placed, mark) })
      return
    }
    const unknown = new Set<string>()
    for (const op of moment.open) {
      if (op.leaves === undefined || isIn(config, op)) continue
      const isUnknown = op.returned === Infinity
      if (isUnknown) {
        if (unknown.has(op.deed)) continue
        unknown.add(op.deed)
      }
      this.#tries++
      const placed = this.#place(config, op)
      if (placed === undefined) continue
      const settled = this.#settle(placed, moment.open)
      if (isUnknown && !isUseful(config, settled, moment.open)) continue
      if (!this.#isDoomed(settled, moment, at)) yield { at, config: settled }
    }
  }

  /** The configuration with `op` next, when the store would then have answered as it did. */
  #place(
    { value, placed, spent }: Config,
    { finds, leaves, mark, returned }: Op,
  ): Config | undefined {
    if (finds !== undefined && (finds.type === 'equal') !== (finds.value === value))
      return undefined
    const after =
      leaves === undefined
        ? value
        : leaves.type === 'set'
          ? this.#register.valueOf(leaves.text)
          : this.#register.append(value, leaves.text)
    return returned === Infinity
      ? { value: after, placed, spent: withMark(spent, mark) }
      : { value: after, placed: withMark(placed, mark), spent }
  }

  /** Gives their places to all that change nothing and are content with what is there. */
  #settle(config: Config, open: readonly Op[]): Config {
    let settled = config
    for (const op of open) {
      if (op.leaves !== undefined || isIn(settled, op)) continue
      settled = this.#place(settled, op) ?? settled
    }
    return settled
  }

  /** Whether one of the next to return can never find what it found. */
  #isDoomed(config: Config, { op: now, open }: Moment, at: number): boolean {
    const first = this.#nextObserver[at]!
    const end = Math.min(first + AHEAD, this.#observers.length)
    for (let i = first; i < end; i++) {
      const observer = this.#observers[i]!
      const { value } = observer.finds!
      if (open.includes(observer) && isIn(config, observer)) continue
      if (this.#register.leads(config.value, value)) continue
      const isLeft = (op: Op): boolean =>
        op.invoked <= observer.returned &&
        op.returned >= now.returned &&
        !(open.includes(op) && isIn(config, op))
      if (this.#sourcesOf(value).some(isLeft)) continue
      if (at >= (this.#blamed?.at ?? 0)) this.#blamed = { at, op: observer }
      return true
    }
    return false
  }

  /** Operations that set what `value` is or begins with, the last to be invoked first. */
  #sourcesOf(value: Value): readonly Op[] {
    const known = this.#sources.get(value)
    if (known !== undefined) return known
    const sources = this.#ops
      .filter(
        ({ leaves }) =>
          leaves?.type === 'set' &&
          this.#register.leads(this.#register.valueOf(leaves.text), value),
      )
      .sort((a, b) => b.invoked - a.invoked)
    this.#sources.set(value, sources)
    return sources
  }
}

const isIn = ({ placed, spent }: Config, { mark, returned }: Op): boolean =>
  (returned === Infinity ? spent : placed).includes(mark)

/**
 * Whether an effect that nobody had to have is worth having: only for those who saw it, which includes
 * whoever builds on it.
 */
function isUseful(before: Config, after: Config, open: readonly Op[]): boolean {
  if (after.placed !== before.placed) return true
  if (after.value === before.value) return false
  return open.some(
    (op) =>
      !isIn(after, op) &&
      (op.leaves?.type === 'append' ||
        (op.finds?.type === 'equal' && op.finds.value === after.value)),
  )
}

function tell({ operation }: Op): string {
  const { client, request, response, invoked, returned } = operation
  const answer = response.type === 'ok' ? response : response.type
  return (
    `${JSON.stringify(request)} of client ${client}, ` +
    `from ${invoked} to ${returned}, answered ${JSON.stringify(answer)}`
  )
}
