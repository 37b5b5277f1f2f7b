import type { Mutant } from './mutant.ts'
import { passedOn } from './settings.ts'

/** Defects in what followers pass on to their leader, and in what they tell whoever proposed it. */
export const forwarding: readonly Mutant[] = [
  {
    name: 'passed-on-and-taken-in-twice',
    known: ['F1', 'F42'],
    defect: 'A leader takes a batch in again that a follower passes on a second time.',
    file: 'lib/channels.ts',
    find: 'if (sequence < channel.next) return replyAgain(turn, channel, sequence)',
    replace:
      'if (sequence < channel.next && message.count < 0) return replyAgain(turn, channel, sequence)',
    setting: passedOn,
  },
  {
    name: 'unanswered-as-failed',
    known: ['bug 50', 'F42'],
    defect:
      'What a follower passed on to a leader that is one no more is reported as lost for certain.',
    file: 'operators/engine/proposals.ts',
    find: 'return failAll(this.#judge(answer.ticket).settles, new Unanswered())',
    replace: 'return failAll(this.#judge(answer.ticket).settles, new NotLeader(undefined))',
    setting: passedOn,
  },
]
