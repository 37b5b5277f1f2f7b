import { about, Cluster } from './cluster.ts'
import type { Plan } from '../../../lib/types.ts'
import { received, type Fact, type Options } from './server.ts'

/** A source of chance that a seed determines (mulberry32). */
export function chanceOf(seed: number) {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const one = <T>(of: readonly T[]): T => of[below(of.length)]!
  const happens = (probability: number): boolean => next() < probability
  return { below, one, happens }
}

export type Chance = ReturnType<typeof chanceOf>

/** Limits so small that every one of them is met. */
export const narrow: Options = {
  maxAppendBytes: 24,
  maxInflightMessages: 3,
  maxInflightBytes: 64,
  maxUncommittedBytes: 120,
}

/** A cluster to which chance happens: loss, repetition, disorder, slow disks, crashes, cut links. */
export class Chaos {
  readonly cluster: Cluster
  #cut: readonly string[] = []
  #proposals = 0
  readonly #actions: readonly (readonly [weight: number, act: () => void])[]

  constructor(
    private readonly chance: Chance,
    ids: string,
    options: Options,
    private readonly joiners = '',
    private readonly witnesses = '',
  ) {
    this.cluster = new Cluster(ids, options, {}, joiners, witnesses)
    this.#actions = [
      [45, () => this.#deliver()],
      [3, () => this.#repeat()],
      [3, () => this.#lose()],
      [20, () => this.#save()],
      [5, () => this.#apply()],
      [5, () => this.#somebody('electionTimeout')],
      [6, () => this.#leaders('heartbeatTimeout')],
      [1, () => this.#leaders('quorumTimeout')],
      [8, () => this.#propose()],
      [6, () => this.#read()],
      [1, () => this.#crash()],
      [2, () => this.#restart()],
      [1, () => this.#cutLinks()],
      ...(options.snapshotEntries === undefined ? [] : this.#snapshots()),
      ...(joiners === '' ? [] : this.#members()),
    ]
  }

  #members(): readonly (readonly [weight: number, act: () => void])[] {
    return [
      [6, () => this.#change()],
      [4, () => this.#transfer()],
    ]
  }

  #snapshots(): readonly (readonly [weight: number, act: () => void])[] {
    return [
      [14, () => this.#work()],
      [14, () => this.#say()],
      [1, () => this.#wantSnapshot()],
      [2, () => this.#calm()],
    ]
  }

  step(): void {
    this.cluster.pass(this.chance.below(12))
    const total = this.#actions.reduce((sum, [weight]) => sum + weight, 0)
    let left = this.chance.below(total)
    for (const [weight, act] of this.#actions) {
      if (left < weight) return act()
      left -= weight
    }
  }

  /** All faults end: links are whole, servers run, the clock ticks. Ends when all logs are alike. */
  heal(): void {
    const { cluster, chance } = this
    this.#cut = []
    for (const { id } of cluster.servers) if (!cluster.isUp(id)) cluster.restart(id)
    let isProposed = false
    for (let round = 0; round < 100; round++) {
      cluster.settle()
      const leader = cluster.servers.find(({ role }) => role === 'leader')
      if (isProposed && this.#isAtRest()) return this.#rest()
      if (leader !== undefined) {
        this.#takeEverybodyIn(leader.id)
        isProposed ||= cluster.propose(leader.id, 'healed').save !== undefined
        cluster.pass(20)
        this.#leaders('heartbeatTimeout')
      } else {
        cluster.pass(200)
        cluster.timeout(chance.one(cluster.servers).id)
      }
    }
    throw new Error('the cluster does not heal')
  }

  /** A disk that has refused a snapshot is asked again after a pause. */
  #rest(): void {
    this.cluster.pass(2_000)
    this.#leaders('heartbeatTimeout')
    this.cluster.settle()
    this.#leaders('heartbeatTimeout')
  }

  #isAtRest(): boolean {
    const states = this.cluster.servers.map(({ state }) => state)
    const { lastIndex, lastTerm } = states[0]!.log
    return states.every(
      ({ log, commitIndex, members }) =>
        log.lastIndex === lastIndex &&
        log.lastTerm === lastTerm &&
        commitIndex === lastIndex &&
        members.voters.length === states.length &&
        members.outgoing.length === 0,
    )
  }

  /** Who was sent away, or never came, could not be compared. */
  #takeEverybodyIn(leader: string): void {
    if (this.joiners === '') return
    const ids = this.cluster.servers.map(({ id }) => id)
    this.cluster.change(leader, this.#asThey(ids))
  }

  /** Whoever is to keep no commands votes as a witness. */
  #asThey(ids: readonly string[]): Pick<Plan, 'voters' | 'witnesses'> {
    const isHollow = (id: string): boolean => this.witnesses.includes(id)
    return { voters: ids.filter((id) => !isHollow(id)), witnesses: ids.filter(isHollow) }
  }

  /** Some come, some go, some only listen. */
  #change(): void {
    const { cluster, chance } = this
    const leaders = this.#running.filter((id) => cluster.server(id).role === 'leader')
    if (leaders.length === 0) return
    const ids = cluster.servers.map(({ id }) => id)
    const some = (share: number): string[] => ids.filter(() => chance.happens(share))
    const voters = some(0.3)
    const rest = ids.filter((id) => !voters.includes(id))
    const full = rest.filter((id) => !this.witnesses.includes(id))
    const learners = full.filter(() => chance.happens(0.15))
    const remove = rest.filter((id) => !learners.includes(id) && chance.happens(0.3))
    cluster.change(chance.one(leaders), { ...this.#asThey(voters), learners, remove })
  }

  #transfer(): void {
    const { cluster, chance } = this
    const leaders = this.#running.filter((id) => cluster.server(id).role === 'leader')
    const asked = leaders.length > 0 ? leaders : this.#running
    if (asked.length === 0) return
    const to = chance.happens(0.5) ? chance.one(cluster.servers).id : undefined
    cluster.transfer(chance.one(asked), to)
  }

  get #running(): readonly string[] {
    return this.cluster.servers.map(({ id }) => id).filter((id) => this.cluster.isUp(id))
  }

  /** One to four messages to one server reach it in one turn, in any order. */
  #deliver(): void {
    const { cluster, chance } = this
    if (cluster.wire.length === 0) return
    const first = chance.happens(0.6) ? cluster.wire[0]! : chance.one(cluster.wire)
    const others = cluster.wire
      .filter(({ to }) => to === first.to && chance.happens(0.2))
      .slice(0, 3)
    const together = new Set([first, ...others])
    cluster.take((envelope) => together.has(envelope))
    if (!cluster.isUp(first.to)) return
    const facts = [...together]
      .filter(({ from, to }) => !this.#cut.includes(`${from}${to}`))
      .map(({ from, to, message }): Fact => received(from, to, message))
    const own = chance.happens(0.3) ? this.#ownOf(first.to) : []
    const all = chance.happens(0.5) ? [...own, ...facts] : [...facts, ...own]
    if (all.length > 0) cluster.turn(first.to, ...all)
  }

  /** What its disk and its state machine have done by the same turn. */
  #ownOf(id: string): readonly Fact[] {
    const { cluster, chance } = this
    const { disk } = cluster.server(id)
    const machine = cluster.machine(id)
    const saved = disk.pending.length > 0 && chance.happens(0.5) ? disk.complete() : undefined
    const worked = disk.asked.length > 0 && chance.happens(0.7) ? disk.work() : undefined
    const said = machine.pending.length > 0 && chance.happens(0.5) ? machine.say() : undefined
    return [saved, worked, said].filter((fact) => fact !== undefined)
  }

  #repeat(): void {
    const { cluster, chance } = this
    if (cluster.wire.length > 0) cluster.hand(chance.one(cluster.wire))
  }

  #lose(): void {
    const { cluster, chance } = this
    const share = chance.happens(0.1) ? 0.8 : 0.1
    cluster.drop(() => chance.happens(share))
  }

  #save(): void {
    const { cluster, chance } = this
    const saving = this.#running.filter((id) => cluster.server(id).disk.pending.length > 0)
    if (saving.length > 0) cluster.save(chance.one(saving))
  }

  /** Now and then, bytes arrive on a disk that are not what they should be. */
  #work(): void {
    const { cluster, chance } = this
    const asked = this.#running.filter((id) => cluster.server(id).disk.asked.length > 0)
    if (asked.length > 0) cluster.work(chance.one(asked), chance.happens(0.03))
  }

  #say(): void {
    const { cluster, chance } = this
    const saying = this.#running.filter((id) => cluster.machine(id).pending.length > 0)
    if (saying.length > 0) cluster.say(chance.one(saying))
  }

  #wantSnapshot(): void {
    if (this.#running.length > 0) this.cluster.snapshot(this.chance.one(this.#running))
  }

  #apply(): void {
    for (const id of this.#running) if (this.chance.happens(0.5)) this.cluster.apply(id)
  }

  #somebody(type: 'electionTimeout'): void {
    const { cluster, chance } = this
    if (chance.happens(0.5)) cluster.pass(150)
    if (this.#running.length > 0) cluster.turn(chance.one(this.#running), { type })
  }

  #leaders(type: 'heartbeatTimeout' | 'quorumTimeout'): void {
    for (const id of this.#running) {
      if (this.cluster.server(id).role === 'leader') this.cluster.turn(id, { type })
    }
  }

  #propose(): void {
    const { cluster, chance } = this
    if (this.#running.length === 0) return
    const leaders = this.#running.filter((id) => cluster.server(id).role === 'leader')
    const id = leaders.length > 0 ? chance.one(leaders) : chance.one(this.#running)
    for (let i = chance.below(3); i >= 0; i--) {
      const texts = Array.from({ length: 1 + chance.below(4) }, () => `x${++this.#proposals}`)
      cluster.propose(id, ...texts)
    }
  }

  /** Also, and above all, at those who think that they lead. */
  #read(): void {
    const { cluster, chance } = this
    if (this.#running.length === 0) return
    const leaders = this.#running.filter((id) => cluster.server(id).role === 'leader')
    const asked = leaders.length > 0 && chance.happens(0.6) ? leaders : this.#running
    cluster.read(chance.one(asked))
  }

  #crash(): void {
    const { cluster, chance } = this
    if (this.#running.length === 0) return
    const id = chance.one(this.#running)
    cluster.witness.compare(cluster.server(id))
    const whole = chance.below(cluster.server(id).disk.pending.length + 1)
    const done = chance.below(cluster.server(id).disk.asked.length + 1)
    if (chance.happens(0.5)) cluster.crash(id, whole, undefined, done)
    else cluster.crash(id, whole, chance.below(3), done)
    if (chance.happens(0.3)) cluster.drop(about(id))
  }

  #restart(): void {
    const { cluster, chance } = this
    const down = cluster.servers.map(({ id }) => id).filter((id) => !cluster.isUp(id))
    if (down.length > 0) cluster.restart(chance.one(down))
  }

  /** For a while all goes well, but for one server, which is left behind. */
  #calm(): void {
    const { cluster, chance } = this
    const ids = cluster.servers.map(({ id }) => id)
    const alone = chance.one(ids)
    const others = ids.filter((id) => id !== alone)
    for (const id of others) if (!cluster.isUp(id)) cluster.restart(id)
    for (let round = 0; round < 4; round++) {
      const leader = others.find((id) => cluster.server(id).role === 'leader')
      if (leader === undefined) {
        cluster.pass(200)
        cluster.timeout(chance.one(others))
      } else {
        for (let i = chance.below(4); i >= 0; i--) cluster.propose(leader, `x${++this.#proposals}`)
        cluster.heartbeat(leader)
      }
      cluster.settle(alone)
    }
    this.#cut = []
  }

  /** Servers fall apart into two sides, or single links break, in one direction; or all is whole again. */
  #cutLinks(): void {
    const { cluster, chance } = this
    const ids = cluster.servers.map(({ id }) => id)
    const links = ids.flatMap((a) => ids.map((b) => [a, b] as const))
    const side = new Set(ids.filter(() => chance.happens(0.5)))
    const isCut = chance.one<(link: readonly [string, string]) => boolean>([
      () => false,
      () => chance.happens(0.3),
      ([a, b]) => side.has(a) !== side.has(b),
      ([a, b]) => side.has(a) !== side.has(b),
    ])
    this.#cut = links.filter(isCut).map(([a, b]) => `${a}${b}`)
  }
}
