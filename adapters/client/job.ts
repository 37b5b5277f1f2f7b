import type { Outcome, RaftError } from '../../lib/errors.ts'
import type { Asked } from './link.ts'

/** Something that the leader is asked, until somebody has answered it. */
export interface Job extends Asked {
  /** Whether it waits to be sent. */
  isQueued: boolean
  /** Whether it was sent, and an answer may come. */
  isUnderWay: boolean
  /** Whether anybody waits for the answer. */
  readonly isWanted: boolean
  readonly outcome: Outcome
  /** Why it was sent away the last time. */
  readonly refusal: RaftError | undefined
  /** The connection on which it was sent is lost. */
  readonly lost: () => void
  /** It is not sent again. */
  readonly rest: () => void
  /** Tells whoever waits. */
  readonly fail: (error: RaftError) => void
}

/** Who hears from a job that was sent. */
export interface JobOwner {
  /** It is answered for good. */
  done(): void
  /** It was sent away, and is to be sent again. */
  refused(job: Job): void
}
