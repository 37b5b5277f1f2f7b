export type { Batch, Kind } from '../../lib/batch.ts'
export * from '../../lib/errors.ts'
export type { Fingerprint } from '../../lib/fingerprint.ts'
export type { Event } from '../../lib/events.ts'
export type { Envelope, Message } from '../../lib/messages.ts'
export type {
  ChunkRead,
  ChunkRefused,
  ChunkWritten,
  DiskFact,
  DiskRequest,
  Forget,
  Notice,
  ReadChunk,
  Restored,
  Save,
  Saved,
  WriteChunk,
} from '../../lib/storage.ts'
export { SessionExpired, type Session } from '../../lib/sessions.ts'
export type { AppliedBatch, Answer, Piece, Step } from '../../lib/turn.ts'
export type {
  Ballot,
  Index,
  Mark,
  Members,
  Millis,
  NodeId,
  Plan,
  Position,
  Term,
} from '../../lib/types.ts'
export type { Role, State } from '../../lib/state.ts'
export type { Storage, Transport } from '../adapters.ts'
export { bytes, msgpack, type Codec } from '../codec.ts'
export type { ApplyContext, Machine } from '../machine.ts'
export { commandsIn } from './commandsIn.ts'
export type {
  Applied,
  ChangeProgress,
  Commit,
  Consistency,
  Leader,
  Progress,
  ProposeOptions,
  QueryOptions,
  RaftNode,
  RequestName,
  RoleName,
  RoleStatus,
  Settle,
  Status,
  SubmitOptions,
  Trace,
} from './node.ts'
export type { RaftOptions } from './options.ts'
export { raft, raft$ } from './raft.ts'
