import { seeded } from '../../testing/seeded.ts'
import type { Kind } from './kinds.ts'

/** One fault, before it is known who leads when its time has come. */
export interface FaultEvent {
  /** Milliseconds after the start. */
  readonly at: number
  /** Milliseconds until it is over. */
  readonly lasts: number
  readonly kind: Kind
  /** How many servers it strikes. */
  readonly count: number
  /** Whether the leader of that moment is the first of them. */
  readonly atLeader: boolean
  /** The servers by their places, in the order in which they are struck; of places that nobody has, too. */
  readonly order: readonly number[]
  /** 0 to 1, 1 excluded: how hard, or in which of its variants, as each kind understands it. */
  readonly strength: number
}

interface Habit {
  /** Shortest and longest duration, in milliseconds. */
  readonly lasts: readonly [min: number, max: number]
  /** Most servers at once. */
  most(nodes: number): number
}

const one = (): number => 1
const minority = (nodes: number): number => Math.floor((nodes - 1) / 2)
const everybody = (nodes: number): number => nodes

const habits: Readonly<Record<Kind, Habit>> = {
  kill: { lasts: [300, 4_000], most: everybody },
  pause: { lasts: [500, 5_000], most: everybody },
  cut: { lasts: [1_500, 8_000], most: minority },
  oneWayCut: { lasts: [1_500, 6_000], most: minority },
  loss: { lasts: [3_000, 8_000], most: everybody },
  clockJump: { lasts: [3_000, 7_000], most: everybody },
  fullDisk: { lasts: [5_000, 10_000], most: everybody },
  failingFsync: { lasts: [1_000, 4_000], most: minority },
  join: { lasts: [8_000, 14_000], most: one },
  learner: { lasts: [8_000, 16_000], most: one },
  remove: { lasts: [4_000, 9_000], most: minority },
  replace: { lasts: [10_000, 18_000], most: one },
  rejoin: { lasts: [10_000, 18_000], most: one },
  transfer: { lasts: [500, 3_000], most: everybody },
  snapshot: { lasts: [500, 1_500], most: everybody },
}

/** Milliseconds from one fault to the next: short enough that they overlap. */
const GAP: readonly [min: number, max: number] = [1_000, 4_000]

/** So many servers at most: others come, and go. */
export const placesOf = (nodes: number): number => nodes + 3

/** The servers are let find each other first. */
const QUIET = 2_000

/** What will be done to `nodes` servers within `duration` ms: all of it from the seed. */
export function schedule(
  seed: number,
  nodes: number,
  duration: number,
  kinds: readonly Kind[],
): readonly FaultEvent[] {
  const random = seeded(seed)
  const events: FaultEvent[] = []
  const over = new Map<Kind, number>()
  let bag: Kind[] = []
  for (let at = QUIET; at < duration && kinds.length > 0; at += between(random, GAP)) {
    if (bag.length === 0) bag = shuffled(random, kinds)
    const kind = bag.pop()!
    // A kind waits for the last of its own, so that what it did can be told apart.
    const event = draw(random, nodes, Math.max(at, over.get(kind) ?? 0), kind)
    const end = event.at + event.lasts
    if (end > duration) continue
    over.set(kind, end)
    events.push(event)
  }
  return events.sort((a, b) => a.at - b.at)
}

function draw(random: () => number, nodes: number, at: number, kind: Kind): FaultEvent {
  const { lasts, most } = habits[kind]
  return {
    at: Math.round(at),
    lasts: Math.round(between(random, lasts)),
    kind,
    count: countOf(random, most(nodes)),
    atLeader: random() < 0.5,
    order: shuffled(random, [...Array(placesOf(nodes)).keys()]),
    strength: random(),
  }
}

/** Mostly one server, for a cluster that is down all the time shows nothing; else any number, or the most. */
function countOf(random: () => number, most: number): number {
  const chance = random()
  if (chance < 0.7) return 1
  return chance < 0.85 ? 1 + Math.floor(random() * most) : most
}

const between = (random: () => number, [min, max]: readonly [number, number]): number =>
  min + random() * (max - min)

function shuffled<T>(random: () => number, items: readonly T[]): T[] {
  const all = [...items]
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[all[i], all[j]] = [all[j]!, all[i]!]
  }
  return all
}
