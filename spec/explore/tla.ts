import type { Batch } from '../../lib/batch.ts'
import type { Message } from '../../lib/messages.ts'
import type { NodeId } from '../../lib/types.ts'
import { bounded } from './bounds.ts'
import type { Cluster } from './cluster.ts'
import { explore } from './explore.ts'
import type { Move, Successor } from './moves.ts'
import type { Disk, Reduce, Server } from './server.ts'
import { commits, holds, is, leads } from './waypoints.ts'

/**
 * A schedule that says something: a leader commits a command, crashes in the middle of another, is
 * followed by a second one that overwrites it, comes back and catches up.
 */
export function example(reduce: Reduce): readonly Successor[] {
  const bounds = bounded({ terms: 2, entries: 2, crashes: 1, messages: 2, pulses: 1 })
  const via = [
    ...[is('a', 'precandidate', 0), is('a', 'candidate', 1), leads('a', 1), commits('a', 1)],
    ...[holds('a', 2), holds('b', 2), commits('a', 2), holds('a', 3)],
    ...[is('b', 'precandidate', 1), is('b', 'candidate', 2), leads('b', 2), commits('b', 3)],
    ...[is('a', 'follower', 2), commits('a', 3)],
  ]
  const { way } = explore(reduce, bounds, { via, depth: 16, isOver: () => false })
  if (way === undefined) throw new Error('the engine did not get through the example')
  return way
}

/** A schedule as a module that `docs/spec/TraceSpec.tla` reads. */
export function tlaTrace(path: readonly Successor[]): string {
  const first = path[0]
  if (first === undefined) throw new Error('a trace needs a move')
  const moves = path.map(
    ({ move, cluster }) =>
      `  [move |-> ${describeMove(move, cluster)},\n   seen |-> ${describeCluster(cluster)}]`,
  )
  return [
    '---- MODULE RxraftTrace ----',
    'EXTENDS TLC',
    `TraceStart == ${initial(first.cluster)}`,
    'Trace == <<',
    moves.join(',\n'),
    '>>',
    '====',
    '',
  ].join('\n')
}

const initial = ({ locals }: Cluster): string =>
  functionOf(locals.map(({ server: { id } }) => [id, describeServer(EMPTY)]))

/** Schedules begin on empty disks. */
const EMPTY = {
  state: {
    term: 0,
    vote: undefined,
    role: { type: 'follower' },
    log: { cells: [], length: 0 },
    commitIndex: 0,
  },
  disk: { term: 0, vote: undefined, batches: [] },
  pending: [],
} as const

const describeCluster = ({ locals }: Cluster): string =>
  functionOf(locals.map(({ server }) => [server.id, describeServer(server)]))

type Visible = {
  readonly state: Pick<Server['state'], 'term' | 'vote' | 'commitIndex'> & {
    readonly role: { readonly type: string }
    readonly log: { readonly cells: readonly Batch[]; readonly length: number }
  }
  readonly disk: Disk
  readonly pending: readonly unknown[]
}

const describeServer = ({ state, disk, pending }: Visible): string =>
  recordOf({
    term: state.term,
    vote: nodeOf(state.vote),
    role: `"${state.role.type}"`,
    log: logOf(state.log.cells.slice(0, state.log.length)),
    commit: state.commitIndex,
    disk: recordOf({ term: disk.term, vote: nodeOf(disk.vote), log: logOf(disk.batches) }),
    saving: pending.length,
  })

function describeMove(move: Move, { locals }: Cluster): string {
  const at = nodeOf(locals[move.at]!.server.id)
  if (move.type === 'crash') return recordOf({ kind: '"crash"', at })
  const [happening] = move.happenings
  if (happening === undefined || move.happenings.length > 1) {
    throw new Error('the specification knows turns of one event only')
  }
  const { fact } = happening
  if (fact.type !== 'received') return recordOf({ kind: `"${fact.type}"`, at })
  const { from, message } = fact.envelope
  const what = { kind: '"received"', at, from: nodeOf(from), type: `"${message.type}"` }
  return recordOf({ ...what, term: message.term, ...contentOf(message) })
}

function contentOf(message: Message): Readonly<Record<string, number>> {
  switch (message.type) {
    case 'append': {
      const { prevIndex: prev, batches, commit } = message
      return { prev, last: prev + batches.length, commit }
    }
    case 'heartbeat':
      return { commit: message.commit }
    default:
      return {}
  }
}

const nodeOf = (id: NodeId | undefined): string => `"${id ?? 'nobody'}"`

/** An empty entry has the value 0, a command its number. */
const logOf = (batches: readonly Batch[]): string =>
  `<<${batches
    .map(({ term, kind, bytes }) => recordOf({ term, value: kind === 'noop' ? 0 : bytes.at(-1)! }))
    .join(', ')}>>`

const recordOf = (fields: Readonly<Record<string, string | number>>): string =>
  `[${Object.entries(fields)
    .map(([name, value]) => `${name} |-> ${value}`)
    .join(', ')}]`

const functionOf = (pairs: readonly (readonly [NodeId, string])[]): string =>
  `(${pairs.map(([id, value]) => `"${id}" :> ${value}`).join(' @@ ')})`
