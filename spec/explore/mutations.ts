import { bounded, type Bounds } from './bounds.ts'
import type { Waypoint } from './explore.ts'
import type { Invariant } from './invariants.ts'
import type { Mutation } from './mutate.ts'
import { both, commits, hasForgotten, isAcknowledged, leads } from './waypoints.ts'

/** A planted defect, the smallest bounds in which it shows, and what of Figure 3 it breaks in the end. */
export interface Planted extends Mutation {
  readonly name: string
  readonly bounds: Bounds
  /** Where to pass, for what lies too deep to be found from the beginning at once. */
  readonly via?: readonly Waypoint[]
  readonly watch: readonly Invariant[]
}

/** Where Figure 8 of the paper stands at (b): two servers have led and reached nobody. */
const figure8 = {
  a: { term: 2, log: [1] },
  b: { term: 2, vote: 'b', log: [2] },
  c: { term: 2, vote: 'b', log: [] },
}

export const planted: readonly Planted[] = [
  {
    name: 'a vote leaves before it is on disk',
    file: 'election.ts',
    text: 'return promise(update(voted, { contact: turn.at }), from, vote)',
    by: 'return send(update(voted, { contact: turn.at }), from, vote)',
    bounds: bounded({ terms: 1, crashes: 1, messages: 2, preVote: false }),
    watch: ['election safety'],
  },
  {
    name: 'a candidate asks before its own vote is on disk',
    file: 'election.ts',
    text: "const asking = ask(voting, term, handedOver ? 'handedOver' : 'election', promise)",
    by: "const asking = ask(voting, term, 'election', send)",
    bounds: bounded({ terms: 1, crashes: 1, messages: 2, preVote: false }),
    watch: ['promises'],
  },
  {
    name: 'two votes in one term',
    file: 'election.ts',
    text: 'isNewTerm || state.vote === undefined || state.vote === from',
    by: '(isNewTerm || state.vote !== from || state.vote === from)',
    bounds: bounded({ terms: 1, messages: 2, preVote: false }),
    watch: ['election safety'],
  },
  {
    name: 'a commit by counting copies of an earlier term (Figure 8)',
    file: 'leader.ts',
    text: 'held > commitIndex && termAt(log, held) === term',
    by: 'held > commitIndex',
    bounds: bounded({ terms: 3, messages: 2, preVote: false, batchesPerAppend: 1, disks: figure8 }),
    watch: ['leader completeness'],
  },
  {
    name: 'a commit by fewer than a majority',
    file: 'quorum.ts',
    text: '2 * count > values.length',
    by: '2 * count >= values.length',
    bounds: bounded({ nodes: 2, terms: 1, messages: 2, preVote: false }),
    watch: ['durable quorum'],
  },
  {
    name: 'an acknowledgement of an earlier term counts',
    file: 'step.ts',
    text: 'if (message.term < term) return correct(turn, from, message)',
    by: `if (message.term < term && message.type === 'appended') return dispatch(turn, from, message)
      if (message.term < term) return correct(turn, from, message)`,
    bounds: bounded({ terms: 2, crashes: 1, messages: 2, preVote: false }),
    via: [leads('a', 1), both(isAcknowledged, hasForgotten), both(isAcknowledged, leads('a', 2))],
    watch: ['durable quorum', 'leader completeness'],
  },
  {
    name: 'an acknowledgement leaves before the entries are on disk',
    file: 'follower.ts',
    text: "return promise(committing, from, { type: 'appended', term, match })",
    by: "return send(committing, from, { type: 'appended', term, match })",
    bounds: bounded({ nodes: 2, terms: 1, messages: 2, preVote: false }),
    watch: ['durable quorum'],
  },
  {
    name: 'a leader counts its own entries before they are on its disk',
    file: 'leader.ts',
    text: "return promise(turn, config.id, { type: 'appended', term, match: log.lastIndex })",
    by: 'return appended(turn, config.id, { match: log.lastIndex } as Appended)',
    bounds: bounded({ nodes: 2, terms: 1, messages: 2, preVote: false }),
    watch: ['durable quorum'],
  },
  {
    name: 'a vote for whoever asks, however old its log',
    file: 'election.ts',
    text: 'isFree && isUpToDate(request, state)',
    by: 'isFree',
    bounds: bounded({ terms: 2, messages: 2, preVote: false }),
    via: [leads('a', 1), commits('a', 1)],
    watch: ['leader completeness'],
  },
  {
    name: 'a read without a round of pulses',
    file: 'reads.ts',
    text: 'const isReleased = ({ round }: LeaderRead) => round !== undefined && round <= answered',
    by: 'const isReleased = ({ round }: LeaderRead) => round === undefined || round <= answered',
    bounds: bounded({ terms: 2, messages: 2, reads: 1, preVote: false }),
    via: [
      leads('a', 1),
      commits('a', 1),
      both(leads('b', 2), leads('a', 1)),
      both(commits('b', 2), leads('a', 1)),
    ],
    watch: ['reads'],
  },
  {
    name: 'a read at the commit index of before the term',
    file: 'reads.ts',
    text: 'const index = Math.max(turn.state.commitIndex, leader.firstIndex)',
    by: 'const index = turn.state.commitIndex',
    bounds: bounded({ terms: 2, messages: 2, reads: 1, preVote: false }),
    via: [leads('a', 1), commits('a', 1), leads('b', 2)],
    watch: ['reads'],
  },
]
