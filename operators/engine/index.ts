export type { Batch, Kind } from '../../lib/batch.ts'
export * from '../../lib/errors.ts'
export type { Event } from '../../lib/events.ts'
export type { Envelope, Message } from '../../lib/messages.ts'
export type { Notice, Restored, Save, Saved } from '../../lib/storage.ts'
export type { AppliedBatch, Answer, Step } from '../../lib/turn.ts'
export type { Ballot, Index, Members, Millis, NodeId, Term } from '../../lib/types.ts'
export type { Role, State } from '../../lib/state.ts'
export type { Storage, Transport } from '../adapters.ts'
export { bytes, msgpack, type Codec } from '../codec.ts'
export type { ApplyContext, Machine } from '../machine.ts'
export type {
  Applied,
  Commit,
  Leader,
  Progress,
  ProposeOptions,
  QueryOptions,
  RaftNode,
  RoleName,
  RoleStatus,
  Settle,
  Status,
  Trace,
} from './node.ts'
export type { RaftOptions } from './options.ts'
export { raft, raft$ } from './raft.ts'
