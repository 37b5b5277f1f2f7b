import { describe, expect, it } from 'vitest'
import { append, emptyLog } from '../../../lib/log.ts'
import { foundingMembers } from '../../../lib/members.ts'
import { withhold } from '../../../lib/batch.ts'
import type { Append } from '../../../lib/messages.ts'
import type { Save } from '../../../lib/storage.ts'
import type { NodeId } from '../../../lib/types.ts'
import { committedNeverChanges } from '../../../testing/checkers/committedNeverChanges.ts'
import { convergence } from '../../../testing/checkers/convergence.ts'
import { logMatching } from '../../../testing/checkers/logMatching.ts'
import type { Observation } from '../../../testing/checkers/observation.ts'
import { sameSnapshots } from '../../../testing/checkers/sameSnapshots.ts'
import { stateMachineSafety } from '../../../testing/checkers/stateMachineSafety.ts'
import { witnesses } from '../../../testing/checkers/witnesses.ts'
import {
  applied,
  batchOf,
  config,
  disk,
  ended,
  follower,
  healed,
  judge,
  leader,
  logOf,
  snapshotDisk,
  started,
  turn,
} from './support.ts'

const group = foundingMembers(['a', 'b', 'c'], {}, ['c'])

/** A turn of a server of a cluster in which c is a witness. */
const turnOf = (id: NodeId, told: Parameters<typeof turn>[1], members = group): Observation =>
  turn(id, {
    ...{ members, configurations: [members], config: { ...config, id, members } },
    ...told,
  })

const command = batchOf(1, 1, 'x')
const place = withhold(command)
const sending = (last: typeof command): Append => ({
  ...{ type: 'append', term: 1, prevIndex: 0, prevTerm: 0, batches: [last], commit: 0 },
})
const saving = (batch: typeof command): Save => ({
  ...{ type: 'save', sequence: 1, term: 1, vote: undefined, batches: [batch] },
})

describe('witnesses (thesis §11.7.2)', () => {
  it('pass that vote, and get without commands what a full voter has on its disk', () => {
    const run = [
      turnOf('a', { term: 1, role: leader }),
      disk('a', 1, 'a', '1:x'),
      turnOf('a', { term: 1, role: leader, says: [['c', sending(place)]] }),
      turnOf('c', { term: 1, role: follower('a'), save: saving(place) }),
      turnOf('b', { term: 1, role: follower('a'), save: saving(command) }),
    ]
    expect(judge(witnesses, run)).toEqual([])
  })

  it.each<[string, Observation[], string]>([
    ['campaigns', [turnOf('c', { role: { type: 'candidate', votes: new Map() } })], 'candidate'],
    ['leads', [turnOf('c', { role: leader })], 'leader'],
    [
      'is told to campaign',
      [turnOf('a', { role: leader, says: [['c', { type: 'timeoutNow', term: 1 }]] })],
      'hands over',
    ],
    ['keeps commands', [turnOf('c', { save: saving(command) })], 'was sent the commands'],
    [
      'has more than any full voter',
      [
        turnOf('a', { term: 1, role: leader }),
        disk('c', 1, 'a', '1'),
        turnOf('a', { term: 1, role: leader, says: [['c', sending(place)]] }),
      ],
      'before any full voter',
    ],
  ])('are caught: one that %s', (_, run, said) => {
    expect(judge(witnesses, run)).toEqual([expect.stringContaining(said)])
  })

  it('are caught where there are too many', () => {
    const members = foundingMembers(['a', 'b', 'c'], {}, ['b', 'c'])
    expect(judge(witnesses, [turnOf('a', {}, members)])).toEqual([
      expect.stringContaining('a majority of a b c'),
    ])
  })

  it('are caught where a full server lacks commands', () => {
    const run = [turnOf('a', {}), turnOf('b', { save: saving(place) })]
    expect(judge(witnesses, run)).toEqual(['b was sent no commands from 1 on'])
  })
})

describe('what a witness has', () => {
  const held = append(emptyLog(), [command])
  const hollow = append(emptyLog(), [place])

  it('is the same entry, of which the command is not known', () => {
    const run = [
      turnOf('c', { log: hollow, commitIndex: 1, applied: [{ batch: place, outcomes: [] }] }),
      turnOf('a', { log: held, commitIndex: 1, applied: [applied(command)] }),
    ]
    for (const make of [logMatching, committedNeverChanges, stateMachineSafety]) {
      expect(judge(make, run)).toEqual([])
      expect(judge(make, [...run].reverse())).toEqual([])
    }
  })

  it('hides no difference between the others', () => {
    const other = batchOf(1, 1, 'y')
    const run = [
      turnOf('c', { log: hollow, commitIndex: 1, applied: [{ batch: place, outcomes: [] }] }),
      turnOf('a', { log: held, commitIndex: 1, applied: [applied(command)] }),
      turnOf('b', { log: logOf('1:y'), commitIndex: 1, applied: [applied(other)] }),
    ]
    for (const make of [logMatching, committedNeverChanges, stateMachineSafety]) {
      expect(judge(make, run)).toHaveLength(1)
    }
  })

  it('is a snapshot of nothing, which is nobody else’s', () => {
    const run = [turnOf('a', {}), snapshotDisk('c', 1, 1)]
    expect(judge(sameSnapshots, run)).toEqual([])
    expect(judge(sameSnapshots, [turnOf('a', {}), snapshotDisk('b', 1, 1)])).toHaveLength(1)
  })

  it('is as far as its leader at the end', () => {
    const run = (through: boolean): Observation[] => [
      ...['a', 'b', 'c'].map((id) => started(id)),
      healed,
      turnOf('a', { role: leader, applied: [applied(command)] }),
      turnOf('b', { role: follower('a'), applied: [applied(command)] }),
      turnOf('c', {
        role: follower('a'),
        applied: through ? [{ batch: place, outcomes: [] }] : [],
      }),
      ended,
    ]
    expect(judge(convergence, run(true))).toEqual([])
    expect(judge(convergence, run(false))).toEqual(['c has applied 0 entries, its leader 1'])
  })
})
