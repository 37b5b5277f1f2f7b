export {
  CommandFailed,
  CommandTooLarge,
  Compacted,
  ConfigError,
  NoSpace,
  NotLeader,
  Overloaded,
  RaftError,
  Timeout,
} from '../../lib/errors.ts'
export { SessionExpired } from '../../lib/sessions.ts'
export { bytes, msgpack, type Codec } from '../../operators/codec.ts'
export type { Proposed } from './command.ts'
export type { Client, ConnectOptions } from './connect.ts'
export { Closed, Failed, Refused, Rejected, Unreachable } from './errors.ts'
export type { WebSocketConstructor } from './overWebSocket.ts'
export type { Happened } from './tail.ts'
export type { WebSocketLike } from './webSocketWire.ts'
