import { noop, pack, type Batch } from '../../../lib/batch.ts'
import { append, emptyLog, type Log } from '../../../lib/log.ts'
import type { Event } from '../../../lib/events.ts'
import type { Message } from '../../../lib/messages.ts'
import { booting, type Leader, type State } from '../../../lib/state.ts'
import { begin, finish, type Answer, type AppliedBatch, type Step } from '../../../lib/turn.ts'
import type { Index, Mark, Millis, NodeId, ProtocolConfig, Term } from '../../../lib/types.ts'
import type {
  MakeChecker,
  Observation,
  Request,
  Response,
} from '../../../testing/checkers/observation.ts'
import { foundingMembers } from '../../../lib/members.ts'

/** What a checker says about a run, in order. */
export function judge(make: MakeChecker, run: readonly Observation[]): string[] {
  const said: string[] = []
  const checker = make((message) => said.push(message))
  for (const seen of run) checker.observe(seen)
  return said
}

/** A log of entries, each `term` or `term:word`; without a word it is a leader's empty entry. */
export const logOf = (...entries: readonly string[]): Log =>
  append(
    emptyLog(),
    entries.map((entry, i) => entryOf(i + 1, entry)),
  )

export function entryOf(index: number, entry: string): Batch {
  const [term, word] = entry.split(':')
  return word === undefined ? noop(index, Number(term)) : batchOf(index, Number(term), word)
}

export function batchOf(index: number, term: number, ...words: readonly string[]): Batch {
  const bytes = pack(words.map((word) => new TextEncoder().encode(word)))
  return { index, term, kind: 'command', count: words.length, bytes }
}

export const leader: Leader = {
  type: 'leader',
  firstIndex: 1,
  progress: [],
  round: 0,
  pulse: 0,
  pulses: [],
  leaseEnd: -Infinity,
  untold: undefined,
  reads: [],
  changing: undefined,
  transfer: undefined,
  favourite: undefined,
  channels: [],
}

export const follower = (of?: NodeId): State['role'] => ({
  type: 'follower',
  leader: of,
  asked: [],
})

/** What the servers a, b and c are told when they start. */
export const config: ProtocolConfig = {
  ...{ id: 'a', members: foundingMembers(['a', 'b', 'c']) },
  ...{ electionTimeoutMin: 1, electionTimeoutMax: 2, isTuned: false },
  ...{ preVote: true, checkQuorum: true, diskStall: Infinity, lease: 0, maxAppendBytes: 1 },
  forward: false,
  ...{ maxInflightMessages: 1, maxInflightBytes: 1, maxUncommittedBytes: 1 },
  ...{ snapshotEntries: 1, snapshotBytes: 1, snapshotTailBytes: 0 },
}

interface Told extends Partial<Omit<State, 'log'>> {
  readonly log?: Log
  readonly life?: number
  readonly lease?: Millis
  readonly says?: readonly (readonly [NodeId, Message])[]
  readonly applied?: readonly AppliedBatch[]
  readonly at?: Millis
  readonly events?: readonly Event[]
  readonly answers?: readonly Answer[]
  readonly restore?: Step['restore']
  readonly disk?: Step['disk']
  readonly save?: Step['save']
}

/** A turn of one of the servers a, b and c, that ends in a state with what is told, in life 1. */
export function turn(
  id: NodeId,
  { life = 1, at = 0, says = [], applied = [], events = [], lease = 0, ...rest }: Told,
): Observation {
  const { answers = [], restore, disk = [], save, ...told } = rest

  const before = booting({ ...config, id, lease })
  const state: State = { ...before, booted: true, ...told }
  const send = says.map(([to, message]) => ({ from: id, to, message }))
  const heard = { at, events, answers, restore, disk, save }
  const step: Step = { ...finish(begin(before), []), ...heard, state, send, applied }
  return { type: 'step', at: 0, id, life, step }
}

/** A server's disk after a write: its ballot, and its entries as in {@link logOf}. */
export function disk(
  id: NodeId,
  term: number,
  vote: NodeId | undefined,
  ...entries: readonly string[]
): Observation {
  const terms = [0, ...entries.map((entry) => Number(entry.split(':')[0]))]
  const termAt = (index: number): number | undefined => terms[index]
  const lastIndex = entries.length
  return { type: 'durable', at: 0, id, term, vote, lastIndex, snapshot: undefined, termAt }
}

/** A server's disk in term 1 with a snapshot that stands for everything through an entry, and no entries behind it. */
export function snapshotDisk(id: NodeId, index: Index, term: Term, text = ''): Observation {
  const snapshot = { mark: markOf(index, term), bytes: new TextEncoder().encode(text) }
  const termAt = (at: Index): Term | undefined => (at === index ? term : undefined)
  return {
    type: 'durable',
    at: 0,
    id,
    term: 1,
    vote: undefined,
    lastIndex: index,
    snapshot,
    termAt,
  }
}

export const markOf = (index: Index, term: Term): Mark => ({
  ...{ index, term, members: foundingMembers(['a', 'b', 'c']) },
})

export const started = (id: NodeId, life = 1): Observation => ({ type: 'started', at: 0, id, life })
export const stopped = (id: NodeId, life = 1): Observation => ({ type: 'stopped', at: 0, id, life })
export const wiped = (id: NodeId): Observation => ({ type: 'wiped', at: 0, id })
export const healed: Observation = { type: 'healed', at: 0 }
export const ended: Observation = { type: 'ended', at: 0 }

export const invoked = (operation: number, request: Request, client = operation): Observation => ({
  ...{ type: 'invoked', at: 0, client, operation, request },
})

export const returned = (
  operation: number,
  response: Response,
  client = operation,
): Observation => ({ type: 'returned', at: 0, client, operation, response })

export const ok: Response = { type: 'ok' }
export const failed: Response = { type: 'failed' }
export const unknown: Response = { type: 'unknown' }

export const word = (value: string): Request => ({ type: 'append', key: 'k', value })

/** A batch as it was applied, each command of it with the result `done` unless told otherwise. */
export const applied = (batch: Batch, results: readonly unknown[] = []): AppliedBatch => ({
  batch,
  outcomes:
    batch.kind === 'noop'
      ? []
      : Array.from({ length: batch.count }, (_, i) => {
          const { index, term } = batch
          return { index: index + i, term, command: {}, ok: true, result: results[i] ?? 'done' }
        }),
})

/** Requests as they were applied from `index` on. */
export const appliedRequests = (index: number, ...requests: readonly Request[]): AppliedBatch => {
  const batch = batchOf(index, 1, ...requests.map((request) => JSON.stringify(request)))
  const outcomes = requests.map((command, i) => ({
    ...{ index: index + i, term: 1, command, ok: true, result: null },
  }))
  return { batch, outcomes }
}
