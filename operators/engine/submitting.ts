import type { Request } from '../../lib/sessions.ts'
import type { RaftNode } from './node.ts'
import { tellCommit } from './commits.ts'
import { settleOne, type Proposals } from './proposals.ts'
import { checked } from './proposing.ts'
import type { Result } from './sessions.ts'

/** A proposal in callbacks. One with a name that has been applied here is answered at once. */
export const submitting =
  <C, R>(
    proposals: Pick<Proposals<C, R>, 'submit' | 'request'>,
    find: (request: Request) => Result | undefined,
  ): RaftNode<C, R>['submit'] =>
  (command, settle, options) => {
    if (options?.request === undefined) {
      return proposals.submit(command, settle, options?.encoded)
    }
    const request = checked(options.request)
    const known = find(request)
    if (known === undefined) proposals.request(command, request, settle, options.encoded)
    else {
      tellCommit(settle, known.index, known.term)
      settleOne(settle, known, known.index)
    }
  }
