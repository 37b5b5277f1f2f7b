import { describe, expect, it } from 'vitest'
import { noop, pack } from '../../lib/batch.ts'
import { mindsSilence } from '../../lib/election.ts'
import { append, emptyLog } from '../../lib/log.ts'
import { encodeMembers, foundingMembers } from '../../lib/members.ts'
import type { Message } from '../../lib/messages.ts'
import { booting, type State } from '../../lib/state.ts'
import { reduce } from '../../lib/step.ts'
import type { Step } from '../../lib/turn.ts'
import type { Index, Members, NodeId } from '../../lib/types.ts'

const founders = foundingMembers(['a', 'b'])
const without: Members = { ...foundingMembers(['b', 'c']), index: 2 }

const config = {
  ...{
    id: 'a',
    members: founders,
    electionTimeoutMin: 10,
    electionTimeoutMax: 20,
    isTuned: false,
    lease: 0,
    diskStall: 1e6,
    forward: false,
  },
  ...{ preVote: true, checkQuorum: true, maxAppendBytes: 1000, maxInflightMessages: 1 },
  ...{ maxInflightBytes: 1000, maxUncommittedBytes: 1000 },
  ...{ snapshotEntries: 2, snapshotBytes: 1e6, snapshotTailBytes: 0 },
}

const entry = (members: Members) => ({
  ...({ index: members.index, term: 1, kind: 'members', count: 1 } as const),
  bytes: pack([encodeMembers(members)]),
})

/** A server that is sent away by the second entry of its log, of which so much is committed. */
const away = (commitIndex: Index, change: Partial<State> = {}): State => {
  const log = append(emptyLog(), [noop(1, 1), entry(without)])
  const configurations = [founders, without]
  const read = { booted: true, term: 1, log, configurations, members: without, commitIndex }
  return { ...booting(config), ...read, handedIndex: commitIndex, ...change }
}

describe('a server that is sent away', () => {
  it('still minds the silence, and campaigns, until that is committed: nobody else may be able to lead', () => {
    expect(mindsSilence(away(1), 0)).toBe(true)
    expect(mindsSilence(away(2), 0)).toBe(false)
    const { state } = reduce(away(1), [{ type: 'electionTimeout', at: 100 }])
    expect(state.role.type).toBe('precandidate')
  })

  it('gives up a leader that it does not hear any more, and says so to whoever asks', () => {
    const role = { type: 'follower', leader: 'b', asked: [7] } as const
    const following = away(2, { role, contact: 50 })
    expect(mindsSilence(following, 60)).toBe(true)
    const early = reduce(following, [{ type: 'electionTimeout', at: 55 }])
    expect(early.state.role).toBe(role)
    const { state, answers } = reduce(following, [{ type: 'electionTimeout', at: 70 }])
    expect(state.role).toEqual({ type: 'follower', leader: undefined, asked: [] })
    expect(state.term).toBe(1)
    expect(answers).toEqual([{ type: 'unreadable', ticket: 7, leader: undefined }])
    expect(mindsSilence(state, 70)).toBe(false)
  })
})

describe('a leader that was sent away before a change that is joint', () => {
  const joint: Members = {
    ...foundingMembers(['b', 'd']),
    index: 3,
    outgoing: ['b', 'c'],
  }
  const others = ['b', 'c', 'd']
  const heard = (state: State, say: (from: NodeId) => Message): Step =>
    reduce(
      state,
      others.map((from) => ({
        ...{ type: 'received', at: 101 },
        envelope: { from, to: 'a', message: say(from) },
      })),
    )
  const saved = ({ state }: Step): Step =>
    reduce(state, [{ type: 'saved', at: 101, sequence: state.sequence, term: state.term }])
  const granted = (pre: boolean) => (): Message => ({ type: 'vote', term: 2, pre, granted: true })

  /** It has won term 2, and its empty entry is the fourth. */
  function leading(): State {
    const log = append(emptyLog(), [noop(1, 1), entry(without), entry(joint)])
    const configurations = [founders, without, joint]
    const state = { ...away(1), log, configurations, members: joint }
    const asking = reduce(state, [{ type: 'electionTimeout', at: 100 }])
    const candidate = saved(heard(asking.state, granted(true)))
    return saved(heard(candidate.state, granted(false))).state
  }

  it('leaves its end to the next leader, once that is committed', () => {
    const leader = leading()
    expect(leader.role.type).toBe('leader')
    const step = heard(leader, () => ({ type: 'appended', term: 2, match: 4 }))
    expect(step.state).toMatchObject({ role: { type: 'follower' }, commitIndex: 4, members: joint })
    expect(step.send.map(({ message }) => message.type)).toContain('timeoutNow')
    expect(step.save).toBeUndefined()
  })
})

describe('a server that has joined', () => {
  const joined = (commitIndex: Index): State => {
    const nobody = { ...founders, voters: [] }
    const log = append(emptyLog(), [noop(1, 1), noop(2, 1), entry({ ...without, index: 3 })])
    const configurations = [nobody, { ...without, index: 3 }]
    const config3 = { ...config, id: 'c', members: nobody }
    const read = {
      booted: true,
      term: 1,
      log,
      configurations,
      commitIndex,
      handedIndex: commitIndex,
    }
    return { ...booting(config3), ...read, members: configurations[1]! }
  }
  const applied = (index: Index) => ({ type: 'applied', at: 0, index, batches: [] }) as const

  it('takes no snapshot of a time of which it does not know the members', () => {
    expect(reduce(joined(3), [applied(2)]).capture).toBeUndefined()
    expect(reduce(joined(3), [applied(3)]).capture).toBe('first')
  })
})
