import { describe, expect, it } from 'vitest'
import { FormerWitness } from '../../lib/errors.ts'
import type { Append } from '../../lib/messages.ts'
import type { Plan } from '../../lib/types.ts'
import { between, Cluster } from './bench/cluster.ts'
import { entriesIn, entriesOf } from './bench/entries.ts'
import { configOf, follower, received, Server, type Options } from './bench/server.ts'
import { installOf, markOf } from './bench/snapshots.ts'

/** Two full servers and a witness, `c`, unless told otherwise. `a` leads. */
function led(voters = 'abc', joiners = '', witnesses = 'c', options: Options = {}): Cluster {
  const it = new Cluster(voters, options, {}, joiners, witnesses)
  it.elect('a')
  it.heartbeat('a')
  it.settle()
  return it
}

/** Lets a change go on for some pulses of the leader. */
function goOn(it: Cluster, leader: string, ...cut: string[]): void {
  for (let pulse = 0; pulse < 6; pulse++) {
    it.settle(...cut)
    it.pass(20)
    it.heartbeat(leader)
  }
  it.settle(...cut)
}

const reasonOf = (it: Cluster, ticket: number): string | undefined => {
  const answer = it.answers.find((answer) => 'ticket' in answer && answer.ticket === ticket)
  return answer?.type === 'unchanged' || answer?.type === 'kept' ? answer.reason : answer?.type
}

const membersOf = (it: Cluster, id: string): string => {
  const { voters, outgoing, learners, witnesses } = it.server(id).state.members
  return [voters, outgoing, learners, witnesses].map((ids) => ids.join('')).join(' ')
}

const logOf = (it: Cluster, id: string): string =>
  entriesIn(it.server(id).state.log)
    .map(({ kind, text }) => (kind === 'command' ? text : kind))
    .join(' ')

describe('a witness (thesis §11.7.2)', () => {
  it('has every entry’s place, and no command', () => {
    const it = led()
    it.propose('a', 'x', 'y')
    it.change('a', { remove: ['b'] })
    goOn(it, 'a')
    expect(logOf(it, 'a')).toBe('noop x y members members')
    expect(logOf(it, 'c')).toBe('noop withheld withheld members members')
    expect(it.terms('c')).toEqual(it.terms('a'))
    expect(it.commitIndex('c')).toBe(5)
  })

  it('gets what has the bytes of no command, beside a full server that gets them', () => {
    const it = led()
    it.propose('a', 'secret', 'more')
    it.save('a')
    const sent = (to: string) =>
      it.wire.filter((envelope) => envelope.to === to).map(({ message }) => message as Append)
    const [full] = sent('b')
    const [hollow] = sent('c')
    expect(entriesOf(full!.batches).map(({ text }) => text)).toEqual(['secret', 'more'])
    expect(hollow).toMatchObject({ ...full, batches: [{ kind: 'withheld', count: 2 }] })
    expect(hollow!.batches[0]!.bytes).toEqual(new Uint8Array(8))
  })

  it('withholds nothing from a full server that is sent the same in the same turn', () => {
    const it = led('abc', '', 'b', { maxInflightMessages: 1 })
    for (const text of ['x', 'y']) {
      it.propose('a', text)
      it.save('a')
    }
    it.deliver()
    for (const id of 'bc') it.save(id)
    const acks = it.take(({ to }) => to === 'a')
    it.turn('a', ...acks.map(({ from, to, message }) => received(from, to, message)))
    const prevIndexes = it.wire.map(({ to, message }) => [to, (message as Append).prevIndex])
    expect(prevIndexes).toEqual([
      ['b', 2],
      ['c', 2],
    ])
    goOn(it, 'a')
    expect([logOf(it, 'b'), logOf(it, 'c')]).toEqual(['noop withheld withheld', 'noop x y'])
  })

  it('makes a majority with one full server, which goes on without the other', () => {
    const it = led()
    it.crash('b')
    it.propose('a', 'x')
    it.settle('b')
    expect(it.committed('a').at(-1)?.text).toBe('x')
  })

  it('never campaigns, whatever the silence and whoever asks it to', () => {
    const it = led()
    it.propose('a', 'x')
    it.settle()
    it.pass(1_000)
    it.timeout('c')
    expect(it.server('c').role).toBe('follower')
    it.heartbeat('a')
    it.settle()
    const { term } = it.server('c').state
    it.hand({ from: 'a', to: 'c', message: { type: 'timeoutNow', term } })
    expect([it.server('c').role, it.server('c').state.term]).toEqual(['follower', term])
  })

  it('is handed no leadership: not by name, nor because it has most', () => {
    const it = led()
    expect(reasonOf(it, it.transfer('a', 'c'))).toBe('nobody')
    it.propose('a', 'x')
    it.settle('b')
    const ticket = it.transfer('a')
    goOn(it, 'a')
    expect(it.answers.find((answer) => 'ticket' in answer && answer.ticket === ticket)).toEqual({
      ...{ type: 'handedOver', ticket, to: 'b' },
    })
  })

  it('keeps from winning whoever lacks what it has acknowledged', () => {
    const it = led()
    it.propose('a', 'x')
    it.settle('b')
    expect(it.committed('a').at(-1)?.text).toBe('x')
    it.crash('a')
    for (let attempt = 0; attempt < 5; attempt++) {
      it.pass(300)
      it.timeout('b')
      it.settle('a')
      expect(it.server('b').role).not.toBe('leader')
    }
    it.restart('a')
    it.pass(300)
    it.timeout('a')
    it.settle()
    expect(it.server('a').role).toBe('leader')
    goOn(it, 'a')
    expect(it.committed('b').map(({ text }) => text)).toContain('x')
  })

  it('answers the pulses that reads wait for', () => {
    const it = led()
    it.crash('b')
    const ticket = it.read('a')
    it.settle('b')
    expect(it.answerTo(ticket)).toBe('readable')
  })
})

describe('what a witness is sent', () => {
  it('is on the disk of a full server: a leader that loses it in a crash can win again', () => {
    const it = led()
    it.crash('b')
    it.propose('a', 'lost')
    it.deliver()
    if (it.server('c').disk.pending.length > 0) it.save('c')
    it.crash('a')
    it.drop()
    it.restart('a')
    it.pass(300)
    it.timeout('a')
    it.settle('b')
    expect(it.server('a').role).toBe('leader')
    expect(logOf(it, 'a')).toBe('noop noop')
  })

  it('need not be on the leader’s own disk', () => {
    const it = led()
    it.propose('a', 'x')
    for (let round = 0; round < 3; round++) {
      it.deliver()
      for (const id of 'bc') if (it.server(id).disk.pending.length > 0) it.save(id)
    }
    it.deliver()
    expect(it.server('a').disk.pending.length).toBe(1)
    expect(it.committed('a').at(-1)?.text).toBe('x')
  })

  it('is a snapshot without a state when it is far behind', () => {
    const it = led('abc', '', 'c', { snapshotEntries: 3 })
    for (const text of ['u', 'v', 'w', 'x', 'y']) {
      it.propose('a', text)
      it.settle('c')
    }
    const index = it.server('a').state.snapshot!.index
    it.drop(between('a', 'c'))
    goOn(it, 'a')
    expect(it.server('c').disk.snapshot).toMatchObject({ mark: { index }, bytes: { length: 0 } })
    it.propose('a', 'z')
    goOn(it, 'a')
    expect(it.commitIndex('c')).toBe(it.commitIndex('a'))
    it.crash('c')
    it.restart('c')
    goOn(it, 'a')
    expect(it.server('c').state).toMatchObject({
      isHollow: true,
      appliedIndex: it.commitIndex('a'),
    })
  })

  it('is cut by snapshots of its own, for which nobody is asked', () => {
    const it = led('abc', '', 'c', { snapshotEntries: 3 })
    for (const text of ['u', 'v', 'w']) {
      it.propose('a', text)
      it.settle()
      it.heartbeat('a')
      it.settle()
    }
    expect(it.server('c').disk.snapshot).toMatchObject({ mark: { index: 3 }, bytes: { length: 0 } })
    expect(it.server('c').state.log.base.index).toBe(3)
  })
})

describe('a change', () => {
  it('takes a witness in, which gets no command on the way', () => {
    const it = led('ab', 'w', 'w')
    it.propose('a', 'x')
    const ticket = it.change('a', { witnesses: ['w'] })
    expect(membersOf(it, 'a')).toBe('ab  w w')
    goOn(it, 'a')
    expect(reasonOf(it, ticket)).toBe('changed')
    for (const id of 'abw') expect(membersOf(it, id)).toBe('abw   w')
    expect(logOf(it, 'w')).toBe('noop withheld members members members')
    it.crash('b')
    it.propose('a', 'y')
    it.settle('b')
    expect(it.committed('a').at(-1)?.text).toBe('y')
  })

  it('takes one in behind a snapshot that knows nothing of it', () => {
    const it = led('ab', 'w', 'w', { snapshotEntries: 2 })
    for (const text of ['x', 'y', 'z']) {
      it.propose('a', text)
      it.settle()
    }
    const ticket = it.change('a', { witnesses: ['w'] })
    goOn(it, 'a')
    expect(reasonOf(it, ticket)).toBe('changed')
    expect(membersOf(it, 'w')).toBe('abw   w')
  })

  it('lets one go, which gets no command to its end', () => {
    const it = led('abcd', '', 'c')
    const ticket = it.change('a', { remove: ['c'] })
    expect(membersOf(it, 'a')).toBe('abd abcd  c')
    it.propose('a', 'x')
    goOn(it, 'a')
    expect(reasonOf(it, ticket)).toBe('changed')
    expect(membersOf(it, 'a')).toBe('abd   ')
    expect(logOf(it, 'c')).not.toContain('x')
  })

  it('lets one go, which gets no command either once it is not in it any more', () => {
    const it = led('abcd', '', 'c')
    it.change('a', { remove: ['c'] })
    it.until(() => membersOf(it, 'a') === 'abd   ')
    it.propose('a', 'x')
    while (it.server('a').disk.pending.length > 0) it.save('a')
    goOn(it, 'a')
    expect(it.committed('b').at(-1)?.text).toBe('x')
    expect(logOf(it, 'c')).toBe('noop members members withheld')
  })

  it('replaces one by another at once', () => {
    const it = led('abc', 'w', 'cw')
    const ticket = it.change('a', { witnesses: ['w'], remove: ['c'] })
    goOn(it, 'a')
    expect([reasonOf(it, ticket), membersOf(it, 'w')]).toEqual(['changed', 'abw   w'])
  })

  it.each<[string, string, Plan]>([
    ['makes a full voter of a witness', 'witness', { voters: ['c'] }],
    ['makes a learner of a witness', 'witness', { learners: ['c'] }],
    ['makes a witness of a full voter', 'witness', { witnesses: ['b'] }],
    ['makes a witness of a learner', 'witness', { witnesses: ['l'] }],
    ['wants a new server to be both', 'witness', { voters: ['w'], witnesses: ['w'] }],
    ['leaves witnesses that are a majority', 'full', { witnesses: ['w'], remove: ['b'] }],
    ['leaves nobody but witnesses', 'full', { remove: ['a', 'b'] }],
  ])('is refused when it %s', (_what, reason, plan) => {
    const it = led('abc', 'lw', 'cw')
    it.change('a', { learners: ['l'] })
    goOn(it, 'a')
    expect(reasonOf(it, it.change('a', plan))).toBe(reason)
    expect(membersOf(it, 'a')).toBe('abc  l c')
  })

  it('is refused when the witnesses that are needed are silent [F32]', () => {
    const it = led('abc', '', 'c')
    for (let pulse = 0; pulse < 20; pulse++) {
      it.pass(20)
      it.heartbeat('a')
      it.settle('c')
    }
    expect(reasonOf(it, it.change('a', { remove: ['b'] }))).toBe('quorum')
  })

  it('asks again for a witness that is one: it is done', () => {
    const it = led()
    expect(reasonOf(it, it.change('a', { witnesses: ['c'] }))).toBe('changed')
  })
})

describe('a server without commands', () => {
  it('stops when the configuration has it as a full one, and promises nothing', () => {
    const it = led('abc', '', 'c')
    it.propose('a', 'x')
    it.change('a', { remove: ['c'] })
    goOn(it, 'a')
    expect(() => {
      it.change('a', { voters: ['c'] })
      goOn(it, 'a')
    }).toThrow(FormerWitness)
    expect(it.server('c').disk.pending).toEqual([])
    expect(membersOf(it, 'a')).toBe('ab  c ')
  })

  it.each<[string, Options]>([
    ['entries', {}],
    ['a snapshot', { snapshotEntries: 1 }],
  ])('stops at its start, when nobody tells it that it is a witness: with %s', (_what, options) => {
    const it = led('abc', '', 'c', options)
    it.propose('a', 'x')
    goOn(it, 'a')
    const { disk } = it.server('c')
    const full = new Server(configOf('c', 'abc', options), disk)
    if (disk.snapshot !== undefined) {
      const mark = { ...disk.snapshot.mark, members: full.config.members }
      disk.snapshot = { ...disk.snapshot, mark }
    }
    expect(() => {
      full.boot()
      full.work()
    }).toThrow(FormerWitness)
  })

  it('is not made of a full one by a snapshot without a state', () => {
    const full = follower({ log: [1], term: 2 })
    const empty = { mark: markOf(7, 1), bytes: new Uint8Array() }
    expect(() => full.receive('b', installOf(2, empty))).toThrow(FormerWitness)
    expect(full.disk.asked).toEqual([])
  })

  it('is told by name what to do', () => {
    expect(new FormerWitness('c').message).toBe(
      'c is no witness in the configuration, and its log is that of one, without commands: ' +
        'remove c from the members, and add a server with another id and an empty disk',
    )
  })
})
