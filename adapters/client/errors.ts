import { RaftError, type Outcome } from '../../lib/errors.ts'

/** Every server that could be reached refuses this client: the secret, a certificate or the cluster is another. */
export class Refused extends RaftError {
  readonly code = 'refused'

  constructor(
    reason: string,
    override readonly outcome: Outcome = 'none',
    options?: ErrorOptions,
  ) {
    super(`the servers refuse this client: ${reason}`, options)
  }
}

/** No server could be reached in time, or none that leads. */
export class Unreachable extends RaftError {
  readonly code = 'unreachable'
  override readonly retryable = true

  constructor(
    readonly after: number,
    reason: string,
    override readonly outcome: Outcome = 'none',
  ) {
    super(`no leader within ${after} ms: ${reason}`)
  }
}

/** The client was closed. */
export class Closed extends RaftError {
  readonly code = 'closed'

  constructor(override readonly outcome: Outcome) {
    super('the client is closed')
  }
}

/** The server does not take this command or question. */
export class Rejected extends RaftError {
  readonly code = 'rejected'

  constructor(readonly reason: string) {
    super(`not taken: ${reason}`)
  }
}

/** Any other error of a server's, as it told it; `kind` is the server's code. */
export class Failed extends RaftError {
  readonly code = 'failed'

  constructor(
    readonly kind: string,
    message: string,
    override readonly outcome: Outcome,
    override readonly retryable: boolean,
  ) {
    super(message)
  }
}
