import { VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { noop, unpack, type Batch } from '../../../lib/batch.ts'
import type { Proposed } from '../../../lib/events.ts'
import { SessionExpired } from '../../../lib/sessions.ts'
import type { AppliedBatch } from '../../../lib/turn.ts'
import { msgpack } from '../../../operators/codec.ts'
import { Proposals } from '../../../operators/engine/proposals.ts'
import { commands, leaderRole, requests, stateWith, stepWith } from '../support.ts'

const codec = msgpack<string>()
const limits = { maxCommandBytes: 100, maxAppendBytes: 200, maxUncommittedBytes: 1000 }

/** Proposals with what they raised, and what their callers heard. */
function taking() {
  const turns = new VirtualTimeScheduler()
  const raised: Omit<Proposed, 'at'>[] = []
  const heard: string[] = []
  const proposals = new Proposals<string, string>(codec, limits, (it) => raised.push(it), turns)
  const submit = (command: string): void =>
    proposals.submit(command, {
      queued: (index, term) => heard.push(`${command} queued ${index}@${term}`),
      committed: (index, term) => heard.push(`${command} committed ${index}@${term}`),
      applied: (result, index, term) => heard.push(`${command} → ${result} ${index}@${term}`),
      failed: (error) => heard.push(`${command} ${error.name}: ${error.message}`),
    })
  /** Submits in one turn, and lets a leader put the batch into its log. */
  const accept = (index: number, term: number, ...values: string[]): void => {
    values.forEach(submit)
    turns.flush()
    proposals.answered({ type: 'accepted', ticket: raised.at(-1)!.ticket, index, term })
  }
  const commit = (batch: Batch): void => {
    const outcomes =
      batch.kind === 'noop'
        ? []
        : unpack(batch).map((bytes, i) => {
            const { index, term } = batch
            const command = codec.decode(bytes)
            return { index: index + i, term, command, ok: true, result: command.toUpperCase() }
          })
    proposals.applied({ batch, outcomes })
  }
  const take = (): string[] => heard.splice(0)
  return { turns, raised, proposals, submit, accept, commit, take }
}

describe('proposals', () => {
  it('make one batch of what is submitted in one turn', () => {
    const { turns, raised, submit } = taking()
    submit('x')
    submit('y')
    expect(raised).toEqual([])
    turns.flush()
    submit('z')
    turns.flush()
    expect(raised.map(({ ticket, count }) => [ticket, count])).toEqual([
      [0, 2],
      [1, 1],
    ])
    expect(raised[0]!.bytes).toEqual(commands(1, 1, 'x', 'y').bytes)
  })

  it('make a batch of each kind, in the order in which they came', () => {
    const { turns, raised, proposals, submit } = taking()
    const settle = { applied: () => undefined, failed: () => undefined }
    const request = { session: { index: 1, term: 1 }, sequence: 0, lowest: 0 }
    const limits = { sessions: 1, results: 2, entries: 3 }
    submit('x')
    proposals.request('y', request, settle)
    proposals.openSession(limits, settle)
    submit('z')
    turns.flush()
    expect(raised.map(({ kind, count }) => [kind, count])).toEqual([
      ['command', 1],
      ['request', 2],
      ['command', 1],
    ])
    expect(raised[1]!.bytes).toEqual(requests(1, 1, [request, 'y'], limits).bytes)
  })

  it('whose session has expired are told so', () => {
    const { turns, raised, proposals } = taking()
    const failed: unknown[] = []
    const settle = { applied: () => undefined, failed: (error: unknown) => failed.push(error) }
    const request = { session: { index: 1, term: 1 }, sequence: 0, lowest: 0 }
    proposals.request('y', request, settle)
    turns.flush()
    proposals.answered({ type: 'accepted', ticket: raised[0]!.ticket, index: 5, term: 1 })
    const batch = requests(5, 1, [request, 'y'])
    proposals.applied({ batch, outcomes: [], answers: [undefined] } as AppliedBatch)
    expect(failed).toEqual([new SessionExpired(5, 'unknown')])
  })

  it('make another batch before one grows beyond a message', () => {
    const { turns, raised, submit } = taking()
    for (let i = 0; i < 3; i++) submit('x'.repeat(80))
    turns.flush()
    expect(raised.map(({ count }) => count)).toEqual([2, 1])
  })

  it('tell of queued, committed and applied, in the order of the log', () => {
    const { accept, commit, take } = taking()
    accept(2, 1, 'x', 'y')
    expect(take()).toEqual(['x queued 2@1', 'y queued 3@1'])
    commit(commands(2, 1, 'x', 'y'))
    expect(take()).toEqual([
      ...['x committed 2@1', 'y committed 3@1'],
      ...['x → X 2@1', 'y → Y 3@1'],
    ])
  })

  it('settle a batch that is committed in parts', () => {
    const { accept, commit, take } = taking()
    accept(2, 1, 'x', 'y', 'z')
    take()
    commit(commands(2, 1, 'x', 'y'))
    expect(take()).toEqual(['x committed 2@1', 'y committed 3@1', 'x → X 2@1', 'y → Y 3@1'])
    commit(commands(4, 1, 'z'))
    expect(take()).toEqual(['z committed 4@1', 'z → Z 4@1'])
  })

  it('settle several batches that are committed as one', () => {
    const { accept, commit, take } = taking()
    accept(2, 1, 'x')
    accept(3, 1, 'y')
    take()
    commit(commands(2, 1, 'x', 'y'))
    expect(take()).toEqual(['x committed 2@1', 'x → X 2@1', 'y committed 3@1', 'y → Y 3@1'])
  })

  it('leave alone what others proposed', () => {
    const { accept, commit, take } = taking()
    accept(4, 1, 'x')
    take()
    commit(commands(1, 1, 'p', 'q', 'r'))
    expect(take()).toEqual([])
  })

  it('pass on what the application threw', () => {
    const { accept, proposals, take } = taking()
    accept(2, 1, 'x')
    take()
    const batch = commands(2, 1, 'x')
    const outcomes = [{ index: 2, term: 1, command: 'x', ok: false, error: new Error('no') }]
    proposals.applied({ batch, outcomes })
    expect(take()).toEqual([
      'x committed 2@1',
      'x CommandFailed: applying the command at index 2 threw: Error: no',
    ])
  })
})

describe('proposals that another leader overtakes', () => {
  const superseded = (command: string, index: number) =>
    `${command} Superseded: another leader's entry took the command's place at index ${index}`

  it('are superseded, the rest of their batch too', () => {
    const { accept, commit, take } = taking()
    accept(2, 1, 'x', 'y')
    take()
    commit(noop(2, 2))
    expect(take()).toEqual([superseded('x', 2), superseded('y', 3)])
  })

  it('are superseded by a command as well as by the first entry of a term', () => {
    const { accept, commit, take } = taking()
    accept(2, 1, 'x')
    take()
    commit(commands(2, 2, 'p'))
    expect(take()).toEqual([superseded('x', 2)])
  })

  it('are superseded after those that survived', () => {
    const { accept, commit, take } = taking()
    accept(2, 1, 'x', 'y')
    take()
    commit(commands(2, 1, 'x'))
    commit(noop(3, 2))
    expect(take()).toEqual(['x committed 2@1', 'x → X 2@1', superseded('y', 3)])
  })

  it('are superseded also where the log has become shorter than it was', () => {
    const { accept, commit, take } = taking()
    for (const [i, command] of ['u', 'v', 'w', 'x'].entries()) accept(2 + i, 1, command)
    commit(noop(2, 2))
    // This server leads again, in a log that the leader of term 2 cut after its first entry.
    commit(noop(3, 3))
    accept(4, 3, 'y')
    take()
    commit(commands(4, 3, 'y'))
    expect(take()).toContain('y → Y 4@3')
  })

  it('do not take the outcomes of those that came after them in a shorter log', () => {
    const { accept, commit, take } = taking()
    for (const [i, command] of ['u', 'v', 'w', 'x'].entries()) accept(2 + i, 1, command)
    commit(noop(2, 2))
    commit(noop(3, 3))
    accept(4, 3, 'y')
    accept(5, 3, 'z')
    take()
    commit(commands(4, 3, 'y'))
    commit(commands(5, 3, 'z'))
    expect(take()).toEqual(expect.arrayContaining(['y → Y 4@3', 'z → Z 5@3']))
  })
})

describe('proposals that are refused', () => {
  it('hear who leads', () => {
    const { turns, submit, proposals, take } = taking()
    submit('x')
    turns.flush()
    proposals.answered({ type: 'notLeader', ticket: 0, leader: 'b' })
    expect(take()).toEqual(['x NotLeader: not the leader: b is'])
  })

  it('that are made at once in place of a refused one are raised, too', () => {
    const turns = new VirtualTimeScheduler()
    const refused: string[] = []
    const refuse = ({ ticket }: Omit<Proposed, 'at'>): void =>
      proposals.answered({ type: 'notLeader', ticket, leader: undefined })
    const proposals = new Proposals<string, string>(codec, limits, refuse, turns)
    const submit = (command: string): void =>
      proposals.submit(command, {
        applied: () => undefined,
        failed: () => {
          refused.push(command)
          if (command.length < 3) submit(command + command[0])
        },
      })
    submit('x')
    turns.flush()
    expect(refused).toEqual(['x', 'xx', 'xxx'])
  })

  it('hear that too much waits', () => {
    const { turns, submit, proposals, take } = taking()
    submit('x')
    turns.flush()
    proposals.answered({ type: 'overloaded', ticket: 0 })
    const said = 'over 1000 bytes wait to be committed or applied: try again later'
    expect(take()).toEqual([`x Overloaded: ${said}`])
  })

  it('hear at once that they are too large, and do not harm those beside them', () => {
    const { submit, accept, take } = taking()
    submit('x'.repeat(200))
    expect(take()[0]).toContain(
      'CommandTooLarge: the command takes 202 bytes encoded: at most 100 are allowed',
    )
    accept(2, 1, 'y')
    expect(take()).toEqual(['y queued 2@1'])
  })
})

describe('proposals that are too much', () => {
  const word = 'x'.repeat(47) // 52 bytes in the log
  const leading = stepWith({ state: stateWith({ role: leaderRole({}) }) })

  it('of one turn are refused at once, and taken in again when those before them are judged [bug 52]', () => {
    const { raised, proposals, submit, take } = taking()
    for (let i = 0; i < 1000; i++) submit(word)
    // Batches of 156 bytes: with the seventh over 1,000 wait.
    expect(raised.map(({ count }) => count)).toEqual(Array(7).fill(3))
    expect(take()).toHaveLength(1000 - 21)
    expect(proposals.hasRoomAgain(leading)).toBe(false)
    submit(word)
    expect(take()[0]).toContain('x Overloaded: over 1000 bytes wait')
    proposals.answered({ type: 'noSpace', ticket: raised[0]!.ticket })
    expect(proposals.hasRoomAgain(leading)).toBe(true)
    expect(proposals.hasRoomAgain(leading)).toBe(false)
    take()
    submit(word)
    expect(take()).toEqual([])
  })

  it('are of every kind', () => {
    const { proposals, submit } = taking()
    for (let i = 0; i < 100; i++) submit(word)
    const failed: unknown[] = []
    const settle = { applied: () => undefined, failed: ({ name }: Error) => failed.push(name) }
    const request = { session: { index: 1, term: 1 }, sequence: 0, lowest: 0 }
    proposals.request('y', request, settle)
    proposals.openSession({ sessions: 1, results: 2, entries: 3 }, settle)
    expect(failed).toEqual(['Overloaded', 'Overloaded'])
  })

  it('at the leader are tried again with one command, then with more and more', () => {
    const { turns, raised, proposals, submit, take } = taking()
    const rest = (ticket: number) => ({ type: 'overloaded', ticket }) as const
    const pour = (count = 50): number[] => {
      raised.length = 0
      for (let i = 0; i < count; i++) submit(word)
      turns.flush()
      take()
      return raised.map(({ count }) => count)
    }
    pour(1)
    proposals.answered(rest(raised[0]!.ticket))
    expect(pour()).toEqual([])
    expect(proposals.hasRoomAgain(leading)).toBe(true)
    const poured: number[][] = []
    for (let index = 1; index < 200; index += poured.at(-1)!.reduce((a, b) => a + b)) {
      poured.push(pour())
      let at = index
      for (const { ticket, count } of raised) {
        proposals.answered({ type: 'accepted', ticket, index: at, term: 1 })
        at += count
      }
      expect(proposals.hasRoomAgain(leading)).toBe(true)
    }
    const totals = poured.map((counts) => counts.reduce((a, b) => a + b))
    expect(totals.slice(0, 5)).toEqual([1, 2, 9, 21, 21])
    expect(Math.max(...totals)).toBe(21)
  })

  it('at the leader wait until it has room, a follower for a pulse', () => {
    const { raised, turns, proposals, submit } = taking()
    submit(word)
    turns.flush()
    proposals.answered({ type: 'overloaded', ticket: raised[0]!.ticket })
    const role = { type: 'follower', leader: 'b', asked: [] } as const
    const state = stateWith({ role })
    expect(proposals.hasRoomAgain(stepWith({ state }))).toBe(false)
    const message = { type: 'heartbeat', term: 1, commit: 0, commitTerm: 0, round: 1 } as const
    const pulse = { type: 'received', at: 0, envelope: { from: 'b', to: 'a', message } } as const
    expect(proposals.hasRoomAgain(stepWith({ state, events: [pulse] }))).toBe(true)
  })

  it('at a leader that is none any more are tried again at once', () => {
    const { raised, turns, proposals, submit } = taking()
    submit(word)
    turns.flush()
    proposals.answered({ type: 'overloaded', ticket: raised[0]!.ticket })
    expect(proposals.hasRoomAgain(stepWith())).toBe(true)
  })

  it('are nobody’s when another life of the server asked', () => {
    const { proposals, submit, take } = taking()
    proposals.answered({ type: 'overloaded', ticket: 77 })
    submit(word)
    expect(take()).toEqual([])
  })
})

describe('proposals of a node that stops', () => {
  it('hear of that also when there is no room', () => {
    const { proposals, submit, take } = taking()
    for (let i = 0; i < 100; i++) submit('x'.repeat(47))
    take()
    proposals.stop()
    expect(proposals.hasRoomAgain(stepWith())).toBe(false)
    take()
    submit('y')
    expect(take()).toEqual(['y Stopped: the node is stopped'])
  })

  it('each hear of it once, with what is known of their outcome', () => {
    const { turns, accept, proposals } = taking()
    const heard: string[] = []
    const settle = (name: string) => ({
      applied: () => heard.push(`${name} applied`),
      failed: (error: Error) => heard.push(`${name} ${(error as { outcome?: string }).outcome}`),
    })
    proposals.submit('logged', settle('logged'))
    accept(2, 1)
    proposals.submit('raised', settle('raised'))
    turns.flush()
    proposals.submit('open', settle('open'))
    proposals.stop(new Error('disk'))
    proposals.stop()
    turns.flush()
    proposals.submit('late', settle('late'))
    expect(heard).toEqual(['open none', 'logged unknown', 'raised unknown', 'late none'])
  })

  it('hear the cause', () => {
    const { proposals } = taking()
    const cause = new Error('disk')
    proposals.stop(cause)
    let heard: unknown
    proposals.submit('x', { applied: () => undefined, failed: (error) => (heard = error.cause) })
    expect(heard).toBe(cause)
  })
})
