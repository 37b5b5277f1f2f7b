import type { Event } from '../../../lib/events.ts'
import { foundingMembers } from '../../../lib/members.ts'
import type { Message } from '../../../lib/messages.ts'
import type { Progress } from '../../../lib/progress.ts'
import { booting, type Leader, type State } from '../../../lib/state.ts'
import { reduce } from '../../../lib/step.ts'
import type { Step } from '../../../lib/turn.ts'
import type { Millis, NodeId, Position, ProtocolConfig, Term } from '../../../lib/types.ts'
import { Disk, type Kept } from './disk.ts'
import { batchOf, entriesOf, logOf } from './entries.ts'

/** An event before it is stamped. */
export type Fact = WithoutTime<Event>
type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never

export type Options = Partial<Omit<ProtocolConfig, 'id' | 'members'>>

/** The elections last 100 to 200 ms; limits are out of the way unless a test sets them. */
export const configOf = (
  id: NodeId,
  voters = 'abc',
  options: Options = {},
  witnesses = '',
): ProtocolConfig => ({
  id,
  members: foundingMembers([...voters], {}, [...witnesses]),
  electionTimeoutMin: 100,
  electionTimeoutMax: 200,
  isTuned: false,
  preVote: true,
  checkQuorum: true,
  diskStall: 2_000,
  lease: 0,
  maxAppendBytes: 1_000_000,
  maxInflightMessages: 100,
  maxInflightBytes: 1_000_000,
  maxUncommittedBytes: 1_000_000,
  forward: false,
  snapshotEntries: Infinity,
  snapshotBytes: Infinity,
  snapshotTailBytes: 0,
  ...options,
})

/** One server between its disk and whoever holds the test's script. */
export class Server {
  state: State
  now: Millis = 1_000

  constructor(
    readonly config: ProtocolConfig,
    readonly disk = new Disk(),
  ) {
    this.state = booting(config)
  }

  get id(): NodeId {
    return this.config.id
  }

  get role(): State['role']['type'] {
    return this.state.role.type
  }

  get leader(): Leader {
    if (this.state.role.type !== 'leader') throw new Error(`${this.id} is a ${this.role}`)
    return this.state.role
  }

  /** What this leader knows of another server. */
  progress(id: NodeId): Progress {
    return this.leader.progress.find((progress) => progress.id === id)!
  }

  /** One turn of the loop in which all of these happen. */
  take(...facts: readonly Fact[]): Step {
    const step = reduce(
      this.state,
      facts.map((fact): Event => ({ ...fact, at: this.now })),
    )
    this.state = step.state
    this.disk.take(step)
    return step
  }

  receive(from: NodeId, ...messages: readonly Message[]): Step {
    return this.take(...messages.map((message) => received(from, this.id, message)))
  }

  boot(): Step {
    return this.take(this.disk.restored())
  }

  /** The oldest save becomes durable and is acknowledged. */
  save(): Step {
    return this.take(this.disk.complete())
  }

  /** The disk does the oldest of what it was asked besides saves. */
  work(): Step {
    const fact = this.disk.work()
    return this.take(...(fact === undefined ? [] : [fact]))
  }

  /** Every save becomes durable, also those that come of it; the result is what left on the way. */
  saveAll(): Message[] {
    const sent: Message[] = []
    while (this.disk.pending.length > 0) sent.push(...messagesOf(this.save()))
    return sent
  }
}

export const received = (from: NodeId, to: NodeId, message: Message): Fact => ({
  type: 'received',
  envelope: { from, to, message },
})

/** Commands for the log, in one batch; what they came to is told by `ticket`. */
export const proposal = (ticket: number, ...texts: readonly string[]): Fact => {
  const { kind, count, bytes } = batchOf(1, 1, texts)
  return { type: 'proposed', ticket, kind, count, bytes }
}

/** What a step sends, to everybody or to one. */
export const messagesOf = (step: Step, to?: NodeId): Message[] =>
  step.send.filter((envelope) => to === undefined || envelope.to === to).map((e) => e.message)

interface Past {
  readonly id?: NodeId
  readonly voters?: string
  readonly term?: Term
  readonly vote?: NodeId
  /** The terms of the log's entries. */
  readonly log?: readonly Term[]
  /** The entry before them. */
  readonly base?: Position
  readonly snapshot?: Kept
}

/** A server that has just started with this past on its disk. */
export function follower(past: Past & Options = {}): Server {
  const { id = 'a', voters = 'abc', log = [], vote, base, snapshot, ...others } = past
  const { term = log.at(-1) ?? snapshot?.mark.term ?? 0, ...options } = others
  const server = new Server(configOf(id, voters, options))
  server.disk.ballot = { term, vote }
  server.disk.base = base ?? { index: 0, term: 0 }
  server.disk.log = entriesOf(logOf(log, server.disk.base.index + 1))
  server.disk.snapshot = snapshot
  server.boot()
  return server
}

/** A server that has asked in advance, for the term after `term`. */
export function precandidate(past: Past & Options = {}): Server {
  const server = follower(past)
  server.take({ type: 'electionTimeout' })
  return server
}

/** A server that has voted for itself in the term after `term`, durably, and asked the others. */
export function candidate(past: Past & Options = {}): Server {
  const server = precandidate(past)
  const term = server.state.term + 1
  for (const id of server.config.members.voters) {
    if (server.role !== 'precandidate') break
    if (id !== server.id) server.receive(id, { type: 'vote', term, pre: true, granted: true })
  }
  server.save()
  return server
}

/** A server that leads the term after `term`; its disk holds the empty entry that began the term. */
export function leader(past: Past & Options = {}): Server {
  const server = candidate(past)
  const { term } = server.state
  for (const id of server.config.members.voters) {
    if (server.role !== 'candidate') break
    if (id !== server.id) server.receive(id, { type: 'vote', term, pre: false, granted: true })
  }
  server.saveAll()
  return server
}
