import { RaftError } from '../../../lib/errors.ts'

/** What an operator of the cluster reads as the code of a notice. */
export type FailureCode =
  | 'accept-failed'
  | 'bad-frame'
  | 'bad-message'
  | 'peer-disconnected'
  | 'peer-refused'
  | 'peer-unreachable'
  | 'queue-overflow'

/** Why a connection does not come about, or does not go on. It leaves the transport as a notice only. */
export class Failure extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'Failure'
  }
}

/** The address to listen on is taken, or cannot be listened on. */
export class ListenError extends RaftError {
  readonly code = 'listen'

  constructor(
    readonly address: string,
    cause: Error,
  ) {
    super(`cannot listen on ${address}: ${cause.message}`, { cause })
  }
}

/** The name of a server in a log: quoted, unless it is harmless. */
export const named = (id: string): string => (/^[\w.-]{1,64}$/.test(id) ? id : quote(id))

/** Words of a stranger, harmless in a log: quoted, on one line, and short. */
export function quote(words: string): string {
  return JSON.stringify(words.length > 80 ? `${words.slice(0, 80)}…` : words)
}
