import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../lib/errors.ts'
import type { Message } from '../../lib/messages.ts'
import { booting } from '../../lib/state.ts'
import { logOf } from './bench/entries.ts'
import { append, ask, askAhead, heartbeat, vote, voteAhead } from './bench/messages.ts'
import {
  candidate,
  configOf,
  follower,
  leader,
  messagesOf,
  precandidate,
  proposal,
  received,
  Server,
} from './bench/server.ts'

const own = 3
const log = [1, 1]

const roles = {
  follower: () => follower({ term: own, log }),
  precandidate: () => precandidate({ term: own, log }),
  candidate: () => candidate({ term: own - 1, log }),
  leader: () => leader({ term: own - 1, log }),
}

/** One message of each kind, such as a server in `term` may send. */
const messages = (term: number): readonly Message[] => [
  ask(term, 9, term - 1),
  askAhead(term, 9, term - 1),
  vote(term),
  vote(term, false),
  voteAhead(term),
  voteAhead(term, false),
  append(term, [2, 1], logOf([term], 3)),
  append(term, [7, term]),
  { type: 'appended', term, match: 2 },
  { type: 'rejected', term, prevIndex: 2, hintIndex: 1, hintTerm: 1 },
  heartbeat(term, 1, 1, 1),
  { type: 'heartbeatReply', term, round: 0 },
  { type: 'readIndex', term, ticket: 1 },
  { type: 'readIndexReply', term, ticket: 1, index: 1 },
]

const nameOf = (message: Message): string => {
  const kind = 'granted' in message ? (message.granted ? ' granted' : ' refused') : ''
  return `${'pre' in message && message.pre ? 'pre ' : ''}${message.type}${kind}`
}

/** What each kind of message does to a server of its own term, by role; empty: nothing at all. */
const equalTerm: Record<string, Record<keyof typeof roles, string>> = {
  requestVote: {
    follower: 'save; follower',
    precandidate: 'save; precandidate',
    candidate: 'vote; candidate',
    leader: 'vote; leader',
  },
  'pre requestVote': {
    follower: 'vote; follower',
    precandidate: 'vote; precandidate',
    candidate: 'vote; candidate',
    leader: 'vote; leader',
  },
  'vote granted': {
    follower: '',
    precandidate: '',
    candidate: 'save append append; leader',
    leader: '',
  },
  'vote refused': { follower: '', precandidate: '', candidate: '', leader: '' },
  'pre vote granted': { follower: '', precandidate: '', candidate: '', leader: '' },
  'pre vote refused': { follower: '', precandidate: '', candidate: '', leader: '' },
  append: {
    follower: 'save; follower of b',
    precandidate: 'save; follower of b',
    candidate: 'save; follower of b',
    leader: 'InvariantError',
  },
  'append elsewhere': {
    follower: 'rejected; follower of b',
    precandidate: 'rejected; follower of b',
    candidate: 'rejected; follower of b',
    leader: 'InvariantError',
  },
  appended: { follower: '', precandidate: '', candidate: '', leader: 'append; leader' },
  rejected: { follower: '', precandidate: '', candidate: '', leader: 'append; leader' },
  heartbeat: {
    follower: 'heartbeatReply; follower of b',
    precandidate: 'heartbeatReply; follower of b',
    candidate: 'heartbeatReply; follower of b',
    leader: 'InvariantError',
  },
  heartbeatReply: { follower: '', precandidate: '', candidate: '', leader: 'append; leader' },
  readIndex: {
    follower: '',
    precandidate: '',
    candidate: '',
    leader: 'heartbeat heartbeat; leader',
  },
  readIndexReply: { follower: '', precandidate: '', candidate: '', leader: '' },
}

const roleOf = ({ state: { role } }: Server): string =>
  role.type === 'follower' && role.leader !== undefined ? `follower of ${role.leader}` : role.type

function outcome(server: Server, message: Message): string {
  const before = roleOf(server)
  let said: readonly string[]
  try {
    const step = server.receive('b', message)
    said = [
      ...(step.save === undefined ? [] : ['save']),
      ...messagesOf(step).map(({ type }) => type),
    ]
  } catch (error) {
    expect(error).toBeInstanceOf(InvariantError)
    return 'InvariantError'
  }
  const after = roleOf(server)
  return said.length === 0 && before === after ? '' : `${said.join(' ')}; ${after}`
}

describe.each(Object.entries(roles))('every message reaches a %s [bug 42]', (role, make) => {
  it.each(messages(own).map((message) => [nameOf(message), message] as const))(
    'of its own term: %s',
    (name, message) => {
      const isElsewhere = message.type === 'append' && message.batches.length === 0
      const expected = equalTerm[isElsewhere ? 'append elsewhere' : name]!
      const server = make()
      expect(outcome(server, message)).toBe(expected[role as keyof typeof roles])
      expect(server.state.term).toBe(own)
    },
  )

  it.each(messages(own - 1).map((message) => [nameOf(message), message] as const))(
    'of an earlier term: %s is answered with the present term, or not at all, and changes nothing',
    (name, message) => {
      const server = make()
      const { term, vote: voted, role: before } = server.state
      const step = server.receive('b', message)
      const answers: Record<string, string> = {
        requestVote: 'vote',
        'pre requestVote': 'vote',
        append: 'heartbeatReply',
        heartbeat: 'heartbeatReply',
      }
      const answer = answers[name]
      expect(messagesOf(step)).toMatchObject(
        answer === undefined ? [] : [{ type: answer, term: own }],
      )
      expect(step.save).toBeUndefined()
      expect(server.state).toMatchObject({ term, vote: voted, role: before })
      if (answer === 'vote') expect(messagesOf(step)).toMatchObject([{ granted: false }])
    },
  )

  it.each(messages(own + 1).map((message) => [nameOf(message), message] as const))(
    'of a later term: %s is followed, unless it is about the future or unseats a leader that is heard',
    (name, message) => {
      const server = make()
      const { vote: voted } = server.state
      server.receive('b', message)
      const isQuestion = name === 'pre requestVote' || name === 'pre vote granted'
      const isLoyal = role === 'leader' && name === 'requestVote'
      const isWin = role === 'precandidate' && name === 'pre vote granted'
      if (isWin) {
        expect(server.state).toMatchObject({
          term: own + 1,
          vote: 'a',
          role: { type: 'candidate' },
        })
      } else if (isQuestion || isLoyal) {
        expect(server.role).toBe(role)
        expect(server.state).toMatchObject({ term: own, vote: voted })
      } else {
        const isVote = name === 'requestVote'
        expect(server.role).toBe('follower')
        expect(server.state).toMatchObject({ term: own + 1, vote: isVote ? 'b' : undefined })
      }
    },
  )
})

describe('until the disk has spoken [bug 23]', () => {
  const server = () => new Server(configOf('a'))

  it('no message is believed or answered, no timeout heard', () => {
    for (const term of [0, 1, 5]) {
      for (const message of messages(term)) {
        const booted = server()
        const step = booted.receive('b', message)
        expect(step).toMatchObject({ send: [], save: undefined, answers: [] })
        expect(step.state).toEqual(booting(booted.config))
      }
    }
    for (const type of ['electionTimeout', 'heartbeatTimeout', 'quorumTimeout'] as const) {
      expect(server().take({ type })).toMatchObject({ send: [], save: undefined })
    }
  })

  it('proposals and reads are refused rather than forgotten', () => {
    expect(server().take(proposal(1, 'x'), { type: 'read', ticket: 2 }).answers).toEqual([
      { type: 'notLeader', ticket: 1, leader: undefined },
      { type: 'unreadable', ticket: 2, leader: undefined },
    ])
  })

  it('changes of members and hand-overs are refused rather than forgotten', () => {
    const wanted = [
      { type: 'changeWanted', ticket: 1, plan: { remove: ['b'] } },
      { type: 'transferWanted', ticket: 2, to: undefined },
    ] as const
    const refused = { reason: 'notLeader', leader: undefined }
    expect(server().take(...wanted).answers).toEqual([
      { type: 'unchanged', ticket: 1, ...refused },
      { type: 'kept', ticket: 2, ...refused },
    ])
  })

  it('it speaks once', () => {
    const booted = follower()
    expect(() => booted.boot()).toThrow(InvariantError)
  })

  it('a log that does not begin with index 1, or has a gap, is a broken disk', () => {
    for (const batches of [logOf([1], 2), [...logOf([1]), ...logOf([1], 3)]]) {
      const broken = { type: 'restored', term: 1, vote: undefined, batches } as const
      expect(() => server().take(broken)).toThrow(InvariantError)
    }
  })
})

describe('the other events', () => {
  it('a timeout that belongs to another role is not heard', () => {
    const other = leader()
    expect(other.take({ type: 'electionTimeout' }).send).toEqual([])
    for (const server of [follower(), precandidate(), candidate()]) {
      expect(server.take({ type: 'heartbeatTimeout' }, { type: 'quorumTimeout' }).send).toEqual([])
    }
  })

  it('a timeout in the turn in which the leader is heard came too late', () => {
    const server = follower({ term: 1 })
    server.now += 500
    const step = server.take(received('b', 'a', heartbeat(1)), { type: 'electionTimeout' })
    expect(step.send.map(({ message }) => message.type)).toEqual(['heartbeatReply'])
    expect(server.role).toBe('follower')
  })

  it('what the state machine has applied is passed on, and its index remembered', () => {
    const server = follower({ log })
    const batches = logOf(log).map((batch) => ({ batch, outcomes: ['ok'] }))
    const step = server.take({ type: 'applied', index: 2, batches })
    expect(step.applied).toEqual(batches)
    expect(step.state.appliedIndex).toBe(2)
  })

  it('a notice changes nothing', () => {
    const server = leader()
    const before = server.state
    const notice = { type: 'notice', source: 'transport', code: 'x', message: 'y' } as const
    expect(server.take(notice)).toMatchObject({ send: [], save: undefined, answers: [] })
    expect(server.state).toEqual(before)
  })

  it('a step tells when it was and what it was made of', () => {
    const server = follower()
    server.now = 4_321
    const step = server.take({ type: 'electionTimeout' })
    expect(step.at).toBe(4_321)
    expect(step.events).toEqual([{ type: 'electionTimeout', at: 4_321 }])
  })
})
