/**
 * A model checker around the real reducer: breadth first through every cluster that can come about
 * within some bounds, whatever is delivered, lost, repeated or overtaken, whoever times out, whichever
 * save is done, whoever crashes. The first violation found is a shortest one.
 *
 * What is left out, and why nothing is lost by it:
 * - Time. Events come a moment after everything that a server remembers, or beyond all its patience
 *   (`server.ts`). So every timeout may ring at any moment, and no clock is part of a state.
 * - Loss. A message that is never delivered is lost. Only where more are in flight than may be, it is
 *   chosen which of them stay (`moves.ts`).
 * - The time between crash and restart: a server that is down is like one that nothing happens to.
 * - Names. Clusters that differ only in what servers are called count as one.
 * - Applying happens at once where nobody reads, because nothing but a read waits for it.
 */
import { namesOf, type Bounds } from './bounds.ts'
import { findInCluster, type Cluster } from './cluster.ts'
import { Histories } from './history.ts'
import { invariants, type Finding, type Invariant } from './invariants.ts'
import { successors, type Successor } from './moves.ts'
import { Seen } from './seen.ts'
import { diskOf, type Reduce } from './server.ts'
import { Universe } from './universe.ts'

export interface Limits {
  /** Moves from the beginning; unlimited by default. */
  readonly depth?: number
  /** Stops, unfinished, once `isOver` says so; asked now and then. */
  readonly isOver?: () => boolean
  /** What to look for; by default everything. */
  readonly watch?: readonly Invariant[]
  /**
   * Clusters to pass on the way: each is searched from the one before, and everything is explored from the
   * last one only. Leads deep, to what is known to be there, and proves nothing about the rest.
   */
  readonly via?: readonly Waypoint[]
  /** Counts clusters apart that differ in the servers' names only; for checking the reduction. */
  readonly isAsymmetric?: boolean
  readonly onDepth?: (depth: number, distinct: number) => void
}

export type Waypoint = (cluster: Cluster) => boolean

export interface Exploration {
  /** Moves tried. */
  readonly visited: number
  /** Different clusters, up to the servers' names. */
  readonly distinct: number
  /** Different states of one server. */
  readonly locals: number
  /** Every cluster that so many moves lead to was looked at. */
  readonly depth: number
  /** Whether nothing was left to explore within the bounds. */
  readonly complete: boolean
  readonly violation: Violation | undefined
  /** The moves to the last waypoint, if all were reached. */
  readonly way: readonly Successor[] | undefined
}

export interface Violation {
  readonly findings: readonly Finding[]
  /** The moves that lead there. */
  readonly path: readonly Successor[]
}

/** A cluster to go on from, and how it was reached. */
interface Open {
  readonly cluster: Cluster
  readonly way: Way | undefined
}

/** How a cluster was reached: the successor chosen after another way. */
interface Way {
  readonly before: Way | undefined
  readonly choice: number
}

export function explore(reduce: Reduce, bounds: Bounds, limits: Limits = {}): Exploration {
  return new Explorer(reduce, bounds, limits).run()
}

class Explorer {
  readonly #universe: Universe
  readonly #histories: Histories
  #seen = new Seen()
  readonly #watch: ReadonlySet<Invariant>
  #visited = 0
  #distinct = 0
  #depth = 0
  #violation: Violation | undefined

  constructor(
    reduce: Reduce,
    private readonly bounds: Bounds,
    private readonly limits: Limits,
  ) {
    this.#universe = new Universe(reduce, bounds)
    this.#histories = new Histories(this.#universe.renamings)
    this.#watch = new Set(limits.watch ?? invariants)
  }

  run(): Exploration {
    let from: Open | undefined = { cluster: this.#beginning(), way: undefined }
    for (const waypoint of this.limits.via ?? []) {
      from = from && this.#spread(from, waypoint).found
    }
    const last = from
    const isComplete = from !== undefined && this.#spread(from).isComplete
    return {
      visited: this.#visited,
      distinct: this.#distinct,
      locals: this.#universe.locals,
      depth: this.#depth,
      complete: isComplete && this.limits.via === undefined,
      violation: this.#violation,
      way: last && this.#path(last.way),
    }
  }

  /** Breadth first from one cluster, to a waypoint if there is one. */
  #spread(from: Open, waypoint?: Waypoint): { found?: Open | undefined; isComplete: boolean } {
    this.#seen = new Seen()
    this.#isNew(from.cluster)
    const most = this.limits.depth ?? Infinity
    let open: readonly Open[] = [from]
    for (let depth = 0; open.length > 0 && depth < most; depth++) {
      const further = this.#deeper(open, waypoint)
      if (further === undefined) break
      const found = waypoint && further.find(({ cluster }) => waypoint(cluster))
      if (found !== undefined) return { found, isComplete: false }
      open = further
      this.#depth++
      this.limits.onDepth?.(this.#depth, this.#distinct)
    }
    return { isComplete: open.length === 0 }
  }

  #beginning(): Cluster {
    const locals = namesOf(this.bounds).map((id) => {
      const disk = this.bounds.disks?.[id]
      return this.#universe.started(id, disk === undefined ? undefined : diskOf(disk))
    })
    return { locals, letters: [], history: this.#histories.first }
  }

  /** All new clusters one move further; nothing when there is a reason to stop. */
  #deeper(open: readonly Open[], waypoint?: Waypoint): readonly Open[] | undefined {
    const further: Open[] = []
    for (const [i, { cluster, way }] of open.entries()) {
      if (i % 256 === 0 && this.limits.isOver?.() === true) return undefined
      const next = successors(this.#universe, this.#histories, cluster)
      for (let choice = 0; choice < next.length; choice++) {
        const after = next[choice]!
        this.#visited++
        // The engine gave up here: there is no state to go on from.
        const isDead = after.findings.some(({ invariant }) => invariant === 'engine')
        const isNew = !isDead && this.#isNew(after.cluster)
        if (!isNew && after.findings.length === 0) continue
        const there: Way = { before: way, choice }
        if (this.#isViolated(after, there)) return undefined
        if (!isNew) continue
        further.push({ cluster: after.cluster, way: there })
        if (waypoint?.(after.cluster) === true) return further
      }
    }
    return further
  }

  #isViolated({ cluster, findings }: Successor, way: Way): boolean {
    const all = [...findings, ...findInCluster(cluster)]
    const watched = all.filter(({ invariant }) => this.#watch.has(invariant))
    if (watched.length === 0) return false
    this.#violation = { findings: watched, path: this.#path(way) }
    return true
  }

  /** The moves of a way, made once more. */
  #path(way: Way | undefined): readonly Successor[] {
    const choices: number[] = []
    for (let at: Way | undefined = way; at !== undefined; at = at.before) choices.unshift(at.choice)
    const path: Successor[] = []
    for (const choice of choices) {
      const cluster = path.at(-1)?.cluster ?? this.#beginning()
      path.push(successors(this.#universe, this.#histories, cluster)[choice]!)
    }
    return path
  }

  /** Of all names that the servers could have, those that give the smallest hash stand for the rest. */
  #isNew({ locals, letters, history }: Cluster): boolean {
    const end = this.limits.isAsymmetric === true ? 2 : history.hashes.length
    let bestHigh = 0
    let bestLow = 0
    for (let at = 0; at < end; at += 2) {
      let high = history.hashes[at]!
      let low = history.hashes[at + 1]!
      for (const { hashes } of locals) {
        high = (high + hashes[at]!) | 0
        low = (low + hashes[at + 1]!) | 0
      }
      for (const { hashes } of letters) {
        high = (high + hashes[at]!) | 0
        low = (low + hashes[at + 1]!) | 0
      }
      if (at > 0 && (high > bestHigh || (high === bestHigh && low >= bestLow))) continue
      bestHigh = high
      bestLow = low
    }
    const isNew = this.#seen.add(bestHigh, bestLow)
    if (isNew) this.#distinct++
    return isNew
  }
}
