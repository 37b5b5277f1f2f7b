import { delayWhen, pipe, Subject, timer, VirtualTimeScheduler, type Subscription } from 'rxjs'
import { memory, memoryDisk } from '../../adapters/storage/memory.ts'
import { duplicate, loss, network, type Partition } from '../../adapters/transport/memory.ts'
import type { Millis, NodeId } from '../../lib/types.ts'
import type { RaftNode } from '../../operators/engine/node.ts'
import { raft } from '../../operators/engine/raft.ts'
import { seeded } from '../../testing/index.ts'
import { Pausable } from './pausable.ts'

type Words = readonly string[]
type Node = RaftNode<string, number, 'all', Words>

/** What a client did: the word that it added or the words that it read, and when. */
export interface Operation {
  readonly word: string | undefined
  readonly from: Millis
  /** `undefined` while nobody has answered. */
  to: Millis | undefined
  /** How many words there were when it took effect. */
  length: number | undefined
  /** The words that were read. */
  words: Words | undefined
}

export interface Story {
  readonly operations: readonly Operation[]
  /** What each server has applied in the end. */
  readonly logs: readonly Words[]
  readonly leaders: number
  readonly faults: Readonly<Record<'partition' | 'kill' | 'pause', number>>
}

const WAR = 1_500
const PEACE = 1_500

/** Words in the order in which they were added. */
const list = {
  initial: [] as Words,
  apply: (words: Words, word: string) => [[...words, word], words.length + 1] as const,
  query: (words: Words) => words,
}

/** A server that is killed, started again and paused; its disk stays. */
class Machine {
  readonly clock: Pausable
  readonly #disk = memoryDisk()
  #running: Subscription | undefined
  node: Node | undefined

  constructor(
    readonly id: NodeId,
    private readonly turmoil: Turmoil,
  ) {
    this.clock = new Pausable(turmoil.scheduler)
  }

  start(): void {
    if (this.node !== undefined) return
    const { turmoil, clock, id } = this
    this.node = raft({
      id,
      members: turmoil.ids,
      machine: list,
      storage: memory(this.#disk),
      transport: turmoil.net.join(id),
      electionTimeout: [30, 60],
      heartbeat: 10,
      random: turmoil.random,
      scheduler: clock,
      turns: clock,
    })
    this.node.role$.subscribe(({ role }) => (turmoil.leaders += role === 'leader' ? 1 : 0))
    this.#running = this.node.connect()
  }

  kill(): void {
    this.node = undefined
    this.#running?.unsubscribe()
  }
}

class Turmoil {
  readonly scheduler = new VirtualTimeScheduler(undefined, WAR + PEACE)
  readonly random: () => number
  readonly ids: readonly NodeId[]
  readonly #partitions$ = new Subject<Partition>()
  readonly operations: Operation[] = []
  readonly faults = { partition: 0, kill: 0, pause: 0 }
  readonly net
  readonly machines: readonly Machine[]
  leaders = 0

  constructor(seed: number) {
    this.random = seeded(seed)
    this.ids = seed % 2 === 0 ? ['a', 'b', 'c'] : ['a', 'b', 'c', 'd', 'e']
    this.net = network({
      partitions$: this.#partitions$,
      scheduler: this.scheduler,
      link: (_, to) =>
        pipe(
          loss(0.02, () => (this.isWar ? this.random() : 1)),
          duplicate(0.02, this.random),
          delayWhen(() => timer(1 + this.below(4) + this.machine(to).clock.rest, this.scheduler)),
        ),
    })
    this.machines = this.ids.map((id) => new Machine(id, this))
  }

  get isWar(): boolean {
    return this.scheduler.now() < WAR
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit)
  }

  one(): Machine {
    return this.machines[this.below(this.machines.length)]!
  }

  machine(id: NodeId): Machine {
    return this.machines.find((machine) => machine.id === id)!
  }

  every(ms: Millis, act: () => void): void {
    for (let at = 100 + this.below(ms); at < WAR; at += 1 + this.below(2 * ms)) {
      timer(at, this.scheduler).subscribe(act)
    }
  }

  partition(): void {
    this.faults.partition++
    const side = this.ids.filter(() => this.random() < 0.5)
    this.#partitions$.next(this.random() < 0.4 ? undefined : [side])
  }

  heal(): void {
    this.#partitions$.next(undefined)
    for (const machine of this.machines) machine.start()
  }

  kill(): void {
    this.faults.kill++
    const machine = this.one()
    machine.kill()
    timer(20 + this.below(100), this.scheduler).subscribe(() => machine.start())
  }

  pause(): void {
    this.faults.pause++
    this.one().clock.pause(20 + this.below(200))
  }

  /** A client's word or question to whichever server; it is told by the world's clock, not the server's. */
  ask(word: string | undefined): void {
    const operation: Operation = {
      word,
      from: this.scheduler.now(),
      to: undefined,
      length: undefined,
      words: undefined,
    }
    this.operations.push(operation)
    const ended = (length: number): void => {
      operation.to = this.scheduler.now()
      operation.length = length
    }
    const { node } = this.one()
    const error = (): void => undefined
    if (word === undefined) {
      node?.query('all').subscribe({
        next: (words) => {
          operation.words = words
          ended(words.length)
        },
        error,
      })
    } else {
      node?.submit(word, { applied: ended, failed: error })
    }
  }
}

/**
 * Partitions, kills and pauses come together, messages are lost, doubled and late, and clients add words
 * and read them; then all is well again. All of it is the seed's chance.
 */
export function turmoil(seed: number): Story {
  const world = new Turmoil(seed)
  for (const machine of world.machines) machine.start()
  world.every(60, () => world.partition())
  world.every(150, () => world.kill())
  world.every(120, () => world.pause())
  let count = 0
  world.every(6, () => world.ask(`w${++count}`))
  world.every(6, () => world.ask(undefined))
  timer(WAR, world.scheduler).subscribe(() => {
    world.heal()
  })
  timer(WAR + PEACE - 100, world.scheduler).subscribe(() =>
    world.machines.forEach(({ node }, i) => {
      node!.submit(`last ${i}`, { applied: () => undefined, failed: () => undefined })
    }),
  )
  world.scheduler.flush()
  const logs = world.machines.map(({ node }) => node!.history(1).map(({ command }) => command))
  for (const machine of world.machines) machine.kill()
  const { operations, leaders, faults } = world
  return { operations, logs, leaders, faults }
}
