import type { Subscriber } from 'rxjs'
import type { RaftError } from '../../lib/errors.ts'
import type { Consistency } from '../../operators/engine/node.ts'
import { ASK, CONSISTENCY } from './codes.ts'
import type { Job, JobOwner } from './job.ts'
import type { Sheaf } from './sheaf.ts'

/** A question, which changes nothing: it is asked again wherever it may have been lost. */
export class Question<A> implements Job {
  isQueued = false
  isUnderWay = false
  refusal: RaftError | undefined
  readonly outcome = 'none'

  constructor(
    private readonly bytes: Uint8Array,
    private readonly consistency: Consistency,
    private readonly subscriber: Subscriber<A>,
    private readonly owner: JobOwner,
  ) {}

  get isWanted(): boolean {
    return !this.subscriber.closed
  }

  write(sheaf: Sheaf, id: number): void {
    const { consistency } = this
    sheaf.item(ASK.query, id, 9)
    if (typeof consistency === 'string') {
      sheaf.u8(CONSISTENCY[consistency])
      sheaf.u53(0)
    } else if ('within' in consistency) {
      sheaf.u8(CONSISTENCY.within)
      sheaf.u53(Math.floor(consistency.within))
    } else {
      sheaf.u8(CONSISTENCY.atLeast)
      sheaf.u53(consistency.atLeast)
    }
    sheaf.piece(this.bytes)
  }

  lost(): void {
    this.isUnderWay = false
  }

  rest(): void {
    this.isUnderWay = false
  }

  answered(answer: unknown): void {
    this.isUnderWay = false
    this.subscriber.next(answer as A)
    this.subscriber.complete()
    this.owner.done()
  }

  failed(error: RaftError): void {
    this.isUnderWay = false
    this.refusal = error
    if (error.retryable) return this.owner.refused(this)
    this.subscriber.error(error)
    this.owner.done()
  }

  fail(error: RaftError): void {
    this.subscriber.error(error)
  }
}
