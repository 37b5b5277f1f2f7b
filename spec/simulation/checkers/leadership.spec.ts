import { describe, expect, it } from 'vitest'
import type { Event } from '../../../lib/events.ts'
import { foundingMembers } from '../../../lib/members.ts'
import type { Save } from '../../../lib/storage.ts'
import type { Message } from '../../../lib/messages.ts'
import type { Answer } from '../../../lib/turn.ts'
import { askedInAdvance } from '../../../testing/checkers/askedInAdvance.ts'
import { confirmedReads } from '../../../testing/checkers/confirmedReads.ts'
import { cutOffLeader } from '../../../testing/checkers/cutOffLeader.ts'
import { mandate } from '../../../testing/checkers/mandate.ts'
import type { Observation } from '../../../testing/checkers/observation.ts'
import { patience } from '../../../testing/checkers/patience.ts'
import { stalledLeader } from '../../../testing/checkers/stalledLeader.ts'
import { batchOf, config as turnConfig, disk, ended, judge, leader, turn } from './support.ts'

const from = (id: string, message: Message): Event => ({
  ...{ type: 'received', at: 0, envelope: { from: id, to: 'a', message } },
})
const reply = (round: number, term = 1): Message => ({ type: 'heartbeatReply', term, round })
const pulse = (round: number): Message => ({
  ...{ type: 'heartbeat', term: 1, commit: 0, commitTerm: 0, round },
})

describe('mandate: whoever leads has a majority of durable votes (§5.2)', () => {
  const leads = (id: string, term: number) => turn(id, { term, role: leader })

  it('passes a leader whose voters have saved their votes, and moved on since', () => {
    const run = [disk('a', 1, 'a'), disk('b', 1, 'a'), disk('b', 2, 'c'), leads('a', 1)]
    expect(judge(mandate, run)).toEqual([])
  })

  const votes = (term: number): Message => ({ type: 'vote', term, pre: false, granted: true })

  it('passes one whose voter has given its vote when its disk was in a later term', () => {
    const gives = turn('b', { term: 2, says: [['a', votes(1)]] })
    expect(judge(mandate, [disk('a', 1, 'a'), disk('b', 2, 'b'), gives, leads('a', 1)])).toEqual([])
  })

  it('catches one whose voter has given its vote before it was on its disk [bug 1]', () => {
    const gives = turn('b', { term: 1, says: [['a', votes(1)]] })
    const run = [disk('a', 1, 'a'), gives, disk('b', 2, 'b'), leads('a', 1)]
    expect(judge(mandate, run)).toHaveLength(1)
  })

  it.each([
    ['one vote of three', [disk('a', 1, 'a'), disk('b', 1, undefined)]],
    ['votes of different terms [bug 66]', [disk('a', 2, 'a'), disk('b', 1, 'a')]],
    ['votes for another', [disk('a', 2, 'a'), disk('b', 2, 'c')]],
    ['the same vote twice', [disk('a', 2, 'a'), disk('a', 2, 'a')]],
    ['the vote of a stranger', [disk('a', 2, 'a'), disk('z', 2, 'a')]],
  ])('catches a leader with %s, once', (_, votes) => {
    expect(judge(mandate, [...votes, leads('a', 2), leads('a', 2)])).toHaveLength(1)
  })
})

describe('asked in advance: a majority agrees before a term is raised (thesis §9.6)', () => {
  const yes = (term: number, granted = true, pre = true): Message => ({
    ...{ type: 'vote', term, pre, granted },
  })
  const campaigns = (term: number, events: readonly Event[] = [], life = 1) =>
    turn('a', { term, role: { type: 'candidate', votes: new Map() }, events, life })
  const hears = (...events: readonly Event[]) => turn('a', { events })

  it('passes a candidate that a majority has said yes to, in whatever order', () => {
    const run = [
      campaigns(1, [from('b', yes(1))]),
      campaigns(1),
      hears(from('b', yes(9))),
      hears(from('c', yes(2))),
      campaigns(2),
    ]
    expect(judge(askedInAdvance, run)).toEqual([])
  })

  const handsOver: Message = { type: 'timeoutNow', term: 1 }

  it('passes a candidate to whom its leader hands over (§3.10)', () => {
    expect(judge(askedInAdvance, [campaigns(2, [from('b', handsOver)])])).toEqual([])
  })

  it.each([
    ['a leader of another term hands over to', [campaigns(3, [from('b', handsOver)])]],
    ['nobody has said yes to', [campaigns(1)]],
    ['was refused [F2]', [hears(from('b', yes(1, false))), campaigns(1)]],
    ['was granted another term', [hears(from('b', yes(2))), campaigns(1)]],
    ['was granted its last campaign', [campaigns(1, [from('b', yes(1))]), campaigns(2)]],
    ['takes a vote for a yes in advance', [hears(from('b', yes(1, true, false))), campaigns(1)]],
    ['was granted in its last life', [hears(from('b', yes(1))), campaigns(1, [], 2)]],
  ])('catches a candidate that %s', (_, run) => {
    expect(judge(askedInAdvance, run)).toHaveLength(1)
  })
})

describe('cut-off leader: it steps down after twice the longest timeout (thesis §6.2)', () => {
  /** The longest election timeout is 2 ms here, and a gap of more than half a millisecond a standstill. */
  const leads = (at: number, ...events: readonly Event[]) =>
    turn('a', { at, term: 1, role: leader, events })
  const every = (step: number, end: number): Observation[] =>
    Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => leads(i * step))

  it('passes one that hears a majority, or steps down in time, or was not awake', () => {
    const heard = every(0.5, 8).map((_, i) => leads(i * 0.5, from('b', reply(i))))
    expect(judge(cutOffLeader, heard)).toEqual([])
    expect(judge(cutOffLeader, [...every(0.5, 4), turn('a', { at: 4.5 })])).toEqual([])
    expect(judge(cutOffLeader, [leads(0), leads(1_000), leads(2_000)])).toEqual([])
  })

  it('catches one that leads on [bug 71]', () => {
    expect(judge(cutOffLeader, every(0.5, 4.5))).toEqual([expect.stringMatching(/leads term 1 on/)])
  })

  it('catches one that hears only of another term', () => {
    const run = every(0.5, 4.5).map((_, i) => leads(i * 0.5, from('b', reply(i, 0))))
    expect(judge(cutOffLeader, run)).toHaveLength(1)
  })
})

describe('confirmed reads: a majority answers a pulse that came after the question (thesis §6.4)', () => {
  const read = (ticket: number): Event => ({ type: 'read', at: 0, ticket })
  const readable = (ticket: number): Answer => ({ type: 'readable', ticket })
  const asks: Event = from('c', { type: 'readIndex', term: 1, ticket: 7 })
  const tells: Message = { type: 'readIndexReply', term: 1, ticket: 7, index: 1 }
  const leads = (told: Parameters<typeof turn>[1]) => turn('a', { term: 1, role: leader, ...told })
  const pulses = (round: number, ...events: readonly Event[]) =>
    leads({ events, says: [['b', pulse(round)]] })

  it('passes reads of its own and of a follower that are confirmed', () => {
    const run = [
      pulses(1, read(1)),
      leads({ events: [asks] }),
      leads({ events: [from('b', reply(1))], answers: [readable(1)] }),
      pulses(2),
      leads({ events: [from('b', reply(2))], says: [['c', tells]] }),
    ]
    expect(judge(confirmedReads, run)).toEqual([])
  })

  it.each([
    ['unconfirmed', [pulses(1, read(1)), leads({ answers: [readable(1)] })]],
    [
      'by the pulse before it [bug 21]',
      [
        pulses(1),
        leads({ events: [read(1)] }),
        leads({ events: [from('b', reply(1))], answers: [readable(1)] }),
      ],
    ],
    [
      'by an answer of an earlier term',
      [pulses(1, read(1)), leads({ events: [from('b', reply(1, 0))], answers: [readable(1)] })],
    ],
    [
      "of a follower's, by the pulse before it [bug 67]",
      [
        pulses(1),
        leads({ events: [asks] }),
        leads({ events: [from('b', reply(1))], says: [['c', tells]] }),
      ],
    ],
  ])('catches a read that is answered %s', (_, run) => {
    expect(judge(confirmedReads, run)).toHaveLength(1)
  })

  const lease = 10
  const leased = (at: number, told: Parameters<typeof leads>[0]) => leads({ at, lease, ...told })
  const answered = { events: [from('b', reply(1))] }
  const reads = { events: [read(1)], answers: [readable(1)] }
  const sends = (message: Message) => ({ says: [['b', message]] as const })

  it('passes one within a lease that is counted from when the pulse went out', () => {
    const run = [leased(1, sends(pulse(1))), leased(5, answered), leased(10, reads)]
    expect(judge(confirmedReads, run)).toEqual([])
  })

  it('passes one within a lease that is counted from when the leader was a majority alone', () => {
    const run = [leased(1, { members: foundingMembers(['a']) }), leased(10, reads)]
    expect(judge(confirmedReads, run)).toEqual([])
  })

  it.each<[string, Observation[]]>([
    [
      'after a lease of when the leader was a majority alone',
      [leased(1, { members: foundingMembers(['a']) }), leased(11, reads)],
    ],
    [
      'after its lease [bug 24]',
      [leased(1, sends(pulse(1))), leased(5, answered), leased(11, reads)],
    ],
    [
      'when somebody was told to campaign',
      [
        leased(1, sends(pulse(1))),
        leased(5, answered),
        leased(6, sends({ type: 'timeoutNow', term: 1 })),
        leased(7, reads),
      ],
    ],
    [
      'by a lease, when another was elected',
      [
        leased(1, sends(pulse(1))),
        leased(5, answered),
        turn('b', { term: 2, role: leader }),
        leased(7, reads),
      ],
    ],
  ])('catches one that is answered %s', (_, run) => {
    expect(judge(confirmedReads, run)).toHaveLength(1)
  })
})

describe('patience: silences before elections are drawn by chance (§5.2) [bug 53]', () => {
  /** Silences between 1 ms and 2 ms, of one server after another. */
  const silent = (...silences: readonly number[]): Observation[] => [
    ...silences.flatMap((silence, life) => [
      turn('a', { life, contact: 10 }),
      turn('a', { life, events: [{ type: 'electionTimeout', at: 10 + silence }] }),
    ]),
    ended,
  ]
  const many = (silence: (i: number) => number) =>
    silent(...Array.from({ length: 20 }, (_, i) => silence(i)))

  it('passes those that differ, few of them, and those of a server that stood still', () => {
    expect(
      judge(
        patience,
        many((i) => 1 + i / 20),
      ),
    ).toEqual([])
    expect(judge(patience, silent(1.5, 1.5, 1.5))).toEqual([])
    expect(
      judge(
        patience,
        many(() => 50),
      ),
    ).toEqual([])
  })

  it('catches those that are all alike, or nearly all', () => {
    expect(
      judge(
        patience,
        many(() => 1.5),
      ),
    ).toHaveLength(1)
    expect(
      judge(
        patience,
        many((i) => (i % 6 === 0 ? 1.9 : 1.5 + i / 1_000)),
      ),
    ).toHaveLength(1)
  })
})

describe('stalled leader: it leaves while the others commit without its disk', () => {
  const config = { ...turnConfig, diskStall: 100 }
  const asks = (sequence: number, at: number, index?: number) => {
    const batches = index === undefined ? [] : [batchOf(index, 1, 'x')]
    const save: Save = { type: 'save', sequence, term: 1, vote: 'a', batches }
    return turn('a', { config, at, role: leader, save })
  }
  const saved = (sequence: number, at: number): Event => ({ type: 'saved', at, sequence, term: 1 })
  const leads = (at: number, commitIndex: number, ...events: readonly Event[]) =>
    turn('a', { config, at, role: leader, commitIndex, events })

  it.each([
    ['whose disk is slow, within its time', [asks(1, 0, 1), leads(99, 1)]],
    ['whose disk has answered', [asks(1, 0, 1), leads(99, 1, saved(1, 99)), leads(500, 1)]],
    ['without whom nobody commits', [asks(1, 0, 2), leads(500, 1)]],
    ['that has asked for no entry', [asks(1, 0), leads(500, 1)]],
  ])('passes one %s', (_, run) => {
    expect(judge(stalledLeader, run)).toEqual([])
  })

  it('passes a follower', () => {
    const role = { type: 'follower', leader: 'b', asked: [] } as const
    const follows = turn('a', { config, at: 500, role, commitIndex: 1 })
    expect(judge(stalledLeader, [asks(1, 0, 1), follows])).toEqual([])
  })

  it.each([
    ['leads on', [asks(1, 0, 1), leads(100, 1)]],
    ['leads on since a later save', [asks(1, 0), asks(2, 50, 1), leads(100, 1)]],
    ['has only an older save answered', [asks(1, 0, 1), asks(2, 0, 2), leads(100, 2, saved(1, 9))]],
  ])('catches one that %s [F21]', (_, run) => {
    expect(judge(stalledLeader, run)).toHaveLength(1)
  })
})
