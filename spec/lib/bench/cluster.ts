import type { Envelope, Message } from '../../../lib/messages.ts'
import type { Answer, AppliedBatch, Step } from '../../../lib/turn.ts'
import { booting } from '../../../lib/state.ts'
import type { Batch } from '../../../lib/batch.ts'
import type { Index, Millis, NodeId, Term } from '../../../lib/types.ts'
import { entriesOf, logOf, type Entry } from './entries.ts'
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
  readonly #unapplied = new Map<NodeId, readonly Batch[]>()
  #ticket = 0

  constructor(
    ids: string,
    options: Options = {},
    logs: Readonly<Record<NodeId, readonly Term[]>> = {},
  ) {
    this.servers = [...ids].map((id) => new Server(configOf(id, ids, options)))
    this.witness = new Witness(this.servers)
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
    const unapplied = this.#unapplied.get(id) ?? []
    this.#unapplied.set(id, [...unapplied, ...step.committed])
    return step
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
    const batches = this.#unapplied.get(id) ?? []
    const last = batches.at(-1)
    if (last === undefined) return
    this.#unapplied.set(id, [])
    const applied = batches.map((batch): AppliedBatch => ({ batch, outcomes: [] }))
    this.turn(id, { type: 'applied', index: last.index + last.count - 1, batches: applied })
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
    for (let round = 0; round < 200; round++) {
      this.drop(about(...cut))
      const saving = this.servers.filter(
        ({ id, disk }) => this.isUp(id) && !cut.includes(id) && disk.pending.length > 0,
      )
      if (this.wire.length === 0 && saving.length === 0) return
      this.deliver()
      for (const { id } of saving) this.save(id)
      for (const { id } of this.servers) if (this.isUp(id)) this.apply(id)
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
  crash(id: NodeId, whole = 0, part?: number): void {
    const server = this.server(id)
    server.disk.crash(whole, part)
    server.state = booting(server.config)
    this.#down.add(id)
    this.#unapplied.delete(id)
  }

  restart(id: NodeId): void {
    this.#down.delete(id)
    this.#boot(this.server(id))
  }

  /** The terms in the log of `id`. */
  terms(id: NodeId): readonly Term[] {
    const { log } = this.server(id).state
    return entriesOf(log.cells.slice(0, log.length)).map(({ term }) => term)
  }

  /** What `id` would apply: its log through the commit index. */
  committed(id: NodeId): readonly Entry[] {
    const { log, commitIndex } = this.server(id).state
    return entriesOf(log.cells.slice(0, log.length)).slice(0, commitIndex)
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
