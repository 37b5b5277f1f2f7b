import { lastIndexOf, pack, slice, type Batch } from '../../lib/batch.ts'
import type { Event } from '../../lib/events.ts'
import { append, emptyLog } from '../../lib/log.ts'
import type { Envelope } from '../../lib/messages.ts'
import type { Progress } from '../../lib/progress.ts'
import { booting, type Role, type State } from '../../lib/state.ts'
import type { Save } from '../../lib/storage.ts'
import type { Answer, Step } from '../../lib/turn.ts'
import type { Ballot, NodeId } from '../../lib/types.ts'
import { namesOf, type Bounds, type StartingDisk } from './bounds.ts'
import { foundingMembers } from '../../lib/members.ts'

/** The engine under test. */
export type Reduce = (state: State, events: readonly Event[]) => Step

/** What a disk gives back after a crash. */
export interface Disk extends Ballot {
  readonly batches: readonly Batch[]
}

/** One server: what it knows, what its disk holds, and the saves that its disk has not acknowledged. */
export interface Server {
  readonly id: NodeId
  readonly state: State
  readonly disk: Disk
  readonly pending: readonly Save[]
}

/** What can happen to a server in one event. */
export type Fact =
  | {
      readonly type: 'received'
      readonly envelope: Envelope
      readonly at: typeof SOON | typeof LATE
    }
  | { readonly type: 'saved' }
  | { readonly type: 'electionTimeout' }
  | { readonly type: 'heartbeatTimeout' }
  | { readonly type: 'quorumTimeout' }
  | { readonly type: 'proposed'; readonly number: number }
  | { readonly type: 'read'; readonly ticket: number }
  | { readonly type: 'applied' }

/** What came of a turn. */
export interface Turned {
  readonly server: Server
  readonly sent: readonly Envelope[]
  readonly answers: readonly Answer[]
}

/** A moment after everything that a server remembers, and one beyond all its patience. */
export const SOON = 0
export const LATE = 1

const emptyDisk: Disk = { term: 0, vote: undefined, batches: [] }

/** A server that has just been started on a disk. */
export function start(reduce: Reduce, bounds: Bounds, id: NodeId, disk: Disk = emptyDisk): Server {
  const state = booting({
    id,
    members: foundingMembers(namesOf(bounds)),
    electionTimeoutMin: LATE,
    electionTimeoutMax: LATE,
    isTuned: false,
    preVote: bounds.preVote,
    lease: 0,
    checkQuorum: true,
    diskStall: Infinity,
    maxAppendBytes: bounds.batchesPerAppend === 1 ? 1 : Infinity,
    maxInflightMessages: 2,
    maxInflightBytes: Infinity,
    maxUncommittedBytes: Infinity,
    forward: false,
    snapshotEntries: Infinity,
    snapshotBytes: Infinity,
    snapshotTailBytes: 0,
  })
  const restored = reduce(state, [{ type: 'restored', at: SOON, ...disk }])
  return { id, state: timeless(restored.state), disk, pending: [] }
}

/** The disk that a picture of it stands for. */
export const diskOf = ({ term, vote, log }: StartingDisk): Disk => ({
  term,
  vote,
  batches: log.map((of, i) => ({
    index: i + 1,
    term: of,
    kind: 'noop',
    count: 1,
    bytes: pack([new Uint8Array(0)]),
  })),
})

/** One turn of a server's loop. Throws what the engine throws. */
export function turn(
  reduce: Reduce,
  before: Server,
  facts: readonly Fact[],
  applies: boolean,
): Turned {
  const durable = facts.filter(({ type }) => type === 'saved').length
  const step = reduce(
    before.state,
    facts.map((fact, i) => eventOf(before, fact, countSaved(facts, i))),
  )
  const disk = before.pending.slice(0, durable).reduce(write, before.disk)
  const pending = [
    ...before.pending.slice(durable),
    ...(step.save === undefined ? [] : [step.save]),
  ]
  const isApplying = applies && step.committed.length > 0
  const { state } = isApplying ? applyAll(reduce, step) : step
  const server = { id: before.id, state: timeless(state), disk, pending: pending.map(renumbered) }
  return { server, sent: step.send, answers: step.answers }
}

const countSaved = (facts: readonly Fact[], end: number): number =>
  facts.slice(0, end).filter(({ type }) => type === 'saved').length

const applyAll = (reduce: Reduce, { state }: Step): Step =>
  reduce(state, [{ type: 'applied', at: LATE, index: state.commitIndex, batches: [] }])

function eventOf({ state, pending }: Server, fact: Fact, savedBefore: number): Event {
  const at = LATE
  switch (fact.type) {
    case 'saved': {
      const { sequence, term } = pending[savedBefore]!
      return { type: 'saved', at, sequence, term }
    }
    case 'proposed': {
      const bytes = pack([Uint8Array.of(fact.number)])
      return { type: 'proposed', at, ticket: fact.number, kind: 'command', count: 1, bytes }
    }
    case 'applied':
      return { type: 'applied', at, index: state.commitIndex, batches: [] }
    case 'read':
      return { type: 'read', at, ticket: fact.ticket }
    case 'received':
      return fact
    default:
      return { type: fact.type, at }
  }
}

/** What the disk holds once a save is durable (the law in `lib/storage.ts`). */
export function write(disk: Disk, { term, vote, batches }: Ballot & Pick<Save, 'batches'>): Disk {
  return { term, vote, batches: batches.reduce(place, disk.batches) }
}

const place = (held: readonly Batch[], batch: Batch): readonly Batch[] => [
  ...held
    .filter(({ index }) => index < batch.index)
    .map((kept) =>
      lastIndexOf(kept) < batch.index ? kept : slice(kept, kept.index, batch.index - 1),
    ),
  batch,
]

/**
 * What the disk may hold after a crash: any number of the saves that were under way, and of the next one
 * the ballot with some of its first batches.
 */
export function survivors({ disk, pending }: Server): readonly Disk[] {
  return pending.reduce<readonly Disk[]>(
    (disks, save) => {
      const whole = disks.at(-1)!
      const torn = save.batches.map((_, i) =>
        write(whole, { ...save, batches: save.batches.slice(0, i) }),
      )
      return [...disks, ...torn, write(whole, save)]
    },
    [disk],
  )
}

/**
 * The state without what tells equal futures apart: times (every event comes either at once or long
 * after, see {@link SOON} and {@link LATE}), the numbers of past saves, the arrays that logs share, and
 * counters that decide nothing but when a timer rings.
 */
function timeless(state: State): State {
  const { cells, length } = state.log
  return {
    ...state,
    role: timelessRole(state.role),
    log: append(emptyLog(), cells.slice(0, length)),
    contact: SOON,
    sequence: state.saving.length,
    saving: state.saving.map(renumbered),
    held: new Map(),
    dropped: 0,
  }
}

const renumbered = <T>(save: T, position: number): T => ({
  ...save,
  at: SOON,
  sequence: position + 1,
})

function timelessRole(role: Role): Role {
  if (role.type !== 'leader') return role
  const progress = role.progress.map((one): Progress => ({
    ...one,
    ...{ contact: SOON, told: 0, held: 0 },
  }))
  return { ...role, progress, pulse: SOON, untold: undefined }
}
