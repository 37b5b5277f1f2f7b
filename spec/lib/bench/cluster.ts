import type { Envelope, Message } from '../../../lib/messages.ts'
import type { Answer, Step } from '../../../lib/turn.ts'
import { booting } from '../../../lib/state.ts'
import type { Index, Millis, NodeId, Plan, Term } from '../../../lib/types.ts'
import { entriesIn, entriesOf, logOf, termsIn, type Entry } from './entries.ts'
import { Machine } from './machine.ts'
import { configOf, proposal, received, Server, type Fact, type Options } from './server.ts'
import { Witness } from './witness.ts'

type Filter = (envelope: Envelope) => boolean

/** Envelopes between the two, either way. */
export const between =
  (a: NodeId, b: NodeId): Filter =>
  ({ from, to }) =>
    (from === a && to === b) || (from === b && to === a)

/** Envelopes that go to or come from one of these. */
export const about =
  (...ids: readonly NodeId[]): Filter =>
  ({ from, to }) =>
    ids.includes(from) || ids.includes(to)

export const carrying =
  (type: Message['type']): Filter =>
  ({ message }) =>
    message.type === type

/**
 * Servers, their disks and the wire between them, moved by hand: nothing is delivered, saved or applied
 * until the script says so. Every step passes before a {@link Witness}.
 */
export class Cluster {
  readonly servers: readonly Server[]
  readonly witness: Witness
  /** What is on its way, in the order in which it was sent. */
  wire: readonly Envelope[] = []
  /** Everything answered so far. */
  readonly answers: Answer[] = []
  readonly #down = new Set<NodeId>()
  readonly #machines = new Map<NodeId, Machine>()
  #ticket = 0

  constructor(
    ids: string,
    options: Options = {},
    logs: Readonly<Record<NodeId, readonly Term[]>> = {},
    joiners = '',
    witnesses = '',
  ) {
    const founding = [...witnesses].filter((id) => ids.includes(id)).join('')
    this.servers = [
      ...[...ids].map((id) => new Server(configOf(id, ids, options, founding))),
      ...[...joiners].map((id) => new Server(configOf(id, '', options))),
    ]
    this.witness = new Witness(this.servers, witnesses)
    for (const server of this.servers) {
      const log = logs[server.id] ?? []
      server.disk.ballot = { term: log.at(-1) ?? 0, vote: undefined }
      server.disk.log = entriesOf(logOf(log))
      this.#boot(server)
    }
  }

  server(id: NodeId): Server {
    return this.servers.find((server) => server.id === id)!
  }

  isUp(id: NodeId): boolean {
    return !this.#down.has(id)
  }

  /** One turn at `id` in which these things happen. */
  turn(id: NodeId, ...facts: readonly Fact[]): Step {
    const server = this.server(id)
    const before = server.state
    const step = server.take(...facts)
    this.witness.observe(server, before, step)
    this.wire = [...this.wire, ...step.send]
    this.answers.push(...step.answers)
    this.machine(id).take(step)
    return step
  }

  /** The state machine of a server, since it started last. */
  machine(id: NodeId): Machine {
    const machine = this.#machines.get(id) ?? new Machine()
    this.#machines.set(id, machine)
    return machine
  }

  timeout(id: NodeId): Step {
    return this.turn(id, { type: 'electionTimeout' })
  }

  heartbeat(id: NodeId): Step {
    return this.turn(id, { type: 'heartbeatTimeout' })
  }

  propose(id: NodeId, ...texts: readonly string[]): Step {
    return this.turn(id, proposal(++this.#ticket, ...texts))
  }

  /** Somebody at `id` wants other members; the result is the change's ticket. */
  change(id: NodeId, plan: Plan): number {
    const ticket = ++this.#ticket
    this.turn(id, { type: 'changeWanted', ticket, plan })
    return ticket
  }

  /** Somebody at `id` wants another leader; the result is the ticket. */
  transfer(id: NodeId, to?: NodeId): number {
    const ticket = ++this.#ticket
    this.turn(id, { type: 'transferWanted', ticket, to })
    return ticket
  }

  /** Somebody at `id` wants to read; the result is the read's ticket. */
  read(id: NodeId): number {
    const ticket = ++this.#ticket
    this.witness.asked(ticket)
    this.turn(id, { type: 'read', ticket })
    return ticket
  }

  answerTo(ticket: number): Answer['type'] | undefined {
    return this.answers.find((answer) => answer.ticket === ticket)?.type
  }

  /** The oldest save of `id` becomes durable. */
  save(id: NodeId): Step {
    return this.turn(id, this.server(id).disk.complete())
  }

  /** The state machine of `id` catches up. */
  apply(id: NodeId): void {
    const fact = this.machine(id).apply()
    if (fact !== undefined) this.turn(id, fact)
  }

  /** Somebody wants a snapshot of what `id` has applied; the result is the ticket. */
  snapshot(id: NodeId): number {
    const ticket = ++this.#ticket
    this.turn(id, { type: 'snapshotWanted', ticket })
    return ticket
  }

  /** The disk of `id` does the oldest of what it was asked besides saves; see `Disk.work`. */
  work(id: NodeId, spoils = false): void {
    const fact = this.server(id).disk.work(spoils)
    if (fact !== undefined) this.turn(id, fact)
  }

  /** The state machine of `id` gives a piece, or has taken one over. */
  say(id: NodeId): void {
    this.turn(id, this.machine(id).say())
  }

  /** Delivers what is on its way now and matches; what is sent in answer waits. */
  deliver(filter: Filter = () => true): void {
    for (const envelope of this.take(filter)) this.hand(envelope)
  }

  /** Hands an envelope to its receiver, unless that is down. */
  hand({ from, to, message }: Envelope): void {
    if (this.isUp(to)) this.turn(to, received(from, to, message))
  }

  drop(filter: Filter = () => true): void {
    this.take(filter)
  }

  /** Takes what matches off the wire, to be handed over later, or twice, or never. */
  take(filter: Filter = () => true): readonly Envelope[] {
    const taken = this.wire.filter(filter)
    this.wire = this.wire.filter((envelope) => !taken.includes(envelope))
    return taken
  }

  /** Delivers, saves and applies until nothing moves; what concerns `cut` is lost. */
  settle(...cut: readonly NodeId[]): void {
    for (let round = 0; round < 1500; round++) {
      for (const { id } of this.servers) if (this.isUp(id)) this.apply(id)
      this.drop(about(...cut))
      const running = this.servers.filter(({ id }) => this.isUp(id) && !cut.includes(id))
      const saving = running.filter(({ disk }) => disk.pending.length > 0)
      const asked = running.filter(({ disk }) => disk.asked.length > 0)
      const saying = running.filter(({ id }) => this.machine(id).pending.length > 0)
      if (this.wire.length + saving.length + asked.length + saying.length === 0) return
      this.deliver()
      for (const { id } of saving) this.save(id)
      for (const { id } of asked) this.work(id)
      for (const { id } of saying) this.say(id)
    }
    throw new Error('the cluster never comes to rest')
  }

  /** Delivers and saves, a round at a time, until this holds; what was sent last is still on its way. */
  until(holds: () => boolean): void {
    for (let round = 0; round < 50; round++) {
      if (holds()) return
      this.deliver()
      for (const { id, disk } of this.servers) {
        if (this.isUp(id) && disk.pending.length > 0) this.save(id)
      }
    }
    throw new Error('it never comes to this')
  }

  /** `id` has just been elected: its first entry is on its way and on no disk yet. */
  lead(id: NodeId): void {
    this.pass(this.server(id).config.electionTimeoutMax)
    this.timeout(id)
    this.until(() => this.server(id).role === 'leader')
  }

  /** `id` is elected by all who are not `cut` off; its empty entry is committed. */
  elect(id: NodeId, ...cut: readonly NodeId[]): void {
    this.pass(this.server(id).config.electionTimeoutMax)
    this.timeout(id)
    this.settle(...cut)
    if (this.server(id).role !== 'leader') throw new Error(`${id} is not elected`)
  }

  pass(time: Millis): void {
    for (const server of this.servers) server.now += time
  }

  /** `id` stops; see `Disk.crash` for what its disk keeps of the saves under way. */
  crash(id: NodeId, whole = 0, part?: number, done = 0): void {
    const server = this.server(id)
    server.disk.crash(whole, part, done)
    server.state = booting(server.config)
    this.#down.add(id)
    this.#machines.delete(id)
  }

  restart(id: NodeId): void {
    this.#down.delete(id)
    this.#boot(this.server(id))
  }

  /** The terms in the log of `id`. */
  terms(id: NodeId): readonly Term[] {
    return termsIn(this.server(id).state.log)
  }

  /** What `id` would apply: its log through the commit index. */
  committed(id: NodeId): readonly Entry[] {
    const { log, commitIndex } = this.server(id).state
    return entriesIn(log).filter(({ index }) => index <= commitIndex)
  }

  commitIndex(id: NodeId): Index {
    return this.server(id).state.commitIndex
  }

  #boot(server: Server): void {
    this.witness.restarted(server)
    const before = server.state
    const step = server.boot()
    this.witness.observe(server, before, step)
  }
}
