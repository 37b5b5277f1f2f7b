import { foundingMembers } from '../../lib/members.ts'
import { Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { noop } from '../../lib/batch.ts'
import { CorruptLog, StorageError } from '../../lib/errors.ts'
import type { DiskFact, Save } from '../../lib/storage.ts'
import { Chance } from '../../testing/simulation/chance.ts'
import { VirtualClock } from '../../testing/simulation/clock.ts'
import { SimulatedDisk } from '../../testing/simulation/disk.ts'

const SYNC = 10

/** A save of one entry. */
const save = (sequence: number, term = 1): Save => ({
  type: 'save',
  sequence,
  term,
  vote: 'a',
  batches: [noop(sequence, term)],
})

function opened() {
  const clock = new VirtualClock()
  const told: string[] = []
  const witness = {
    durable: () => told.push(`durable ${disk.platter.lastIndex}`),
    wiped: () => told.push('wiped'),
    struck: (fault: string) => told.push(fault),
  }
  const disk: SimulatedDisk = new SimulatedDisk(
    'a',
    clock,
    new Chance(1, 'disk'),
    witness,
    () => SYNC,
  )
  const open = () => {
    const saves$ = new Subject<Save>()
    const facts: DiskFact[] = []
    const errors: unknown[] = []
    const handle = disk
      .open((run) => run())(saves$)
      .subscribe({ next: (fact) => facts.push(fact), error: (e: unknown) => errors.push(e) })
    clock.runUntil(clock.now() + SYNC)
    const saved = (): number[] =>
      facts.flatMap((fact) => (fact.type === 'saved' ? [fact.sequence] : []))
    return { saves: saves$, facts, errors, saved, handle }
  }
  const pass = (ms: number): void => clock.runUntil(clock.now() + ms)
  return { clock, disk, told, open, pass }
}

describe('the simulated disk', () => {
  it('restores first, then acknowledges each save once it is durable, many with one sync', () => {
    const { open, pass, told, disk } = opened()
    const { saves, facts, saved } = open()
    expect(facts).toEqual([{ type: 'restored', term: 0, vote: undefined, batches: [] }])
    saves.next(save(1))
    pass(SYNC / 2)
    saves.next(save(2))
    saves.next(save(3))
    expect(saved()).toEqual([])
    pass(SYNC / 2)
    expect(saved()).toEqual([1])
    pass(SYNC)
    expect(saved()).toEqual([1, 2, 3])
    expect(told).toEqual(['durable 1', 'durable 2', 'durable 3'])
    expect(disk.platter.termAt(2)).toBe(1)
    expect(disk.platter.termAt(4)).toBe(undefined)
  })

  it.each([
    [1, 2],
    [0, 0],
    [0.5, 1],
  ])('keeps the part %f of what was not synced when the server dies: %i entries', (keep, left) => {
    const { open, pass, disk } = opened()
    const { saves, saved } = open()
    saves.next(save(1))
    saves.next(save(2))
    disk.lose(keep)
    pass(100)
    expect(saved()).toEqual([])
    expect(open().facts[0]).toMatchObject({ batches: [1, 2].slice(0, left).map((i) => noop(i, 1)) })
  })

  it('tears between the batches of a save: its ballot is there with the first of them', () => {
    const { open, disk } = opened()
    const { saves } = open()
    saves.next({ ...save(1, 7), batches: [noop(1, 6), noop(2, 7)] })
    disk.lose(0.7)
    expect(disk.platter.read()).toEqual({
      type: 'restored',
      term: 7,
      vote: 'a',
      batches: [noop(1, 6)],
    })
  })

  it('tears a save that begins the log anew: before that, or between its batches (§7)', () => {
    const at = (keep: number) => {
      const { open, pass, disk } = opened()
      const { saves } = open()
      saves.next({ ...save(1, 2), batches: [noop(1, 1), noop(2, 2)] })
      pass(100)
      const mark = { index: 3, term: 3, members: foundingMembers(['a']) }
      disk.platter.store({ mark, bytes: new Uint8Array(), checksum: 0 })
      saves.next({ ...save(2, 3), reset: { index: 3, term: 3 }, batches: [noop(4, 3)] })
      disk.lose(keep)
      const { term, batches } = disk.platter.read()
      return [term, ...batches.map(({ index }) => index)]
    }
    expect([0, 0.4, 0.7, 1].map(at)).toEqual([[2, 1, 2], [3, 1, 2], [3], [3, 4]])
  })

  it('replaces what stood at the index of a batch and after it (§5.3)', () => {
    const { open, pass, disk } = opened()
    const { saves } = open()
    const bytes = new Uint8Array(12)
    saves.next({
      ...save(1),
      batches: [{ index: 1, term: 1, kind: 'command', count: 3, bytes }, noop(4, 1)],
    })
    saves.next({ ...save(2, 2), batches: [noop(3, 2)] })
    pass(100)
    expect([1, 2, 3, 4].map((i) => disk.platter.termAt(i))).toEqual([1, 1, 2, undefined])
  })

  it('is slow while it is told to, and stands still until it is told to go on', () => {
    const { open, pass, disk } = opened()
    const { saves, saved } = open()
    disk.slow(50)
    saves.next(save(1))
    pass(59)
    expect(saved()).toEqual([])
    pass(1)
    expect(saved()).toEqual([1])
    disk.slow(0)
    disk.stall(true)
    saves.next(save(2))
    pass(10_000)
    expect(saved()).toEqual([1])
    disk.stall(false)
    pass(SYNC)
    expect(saved()).toEqual([1, 2])
  })

  it('stops the node when a sync fails, [F12] and acknowledges nothing of it', () => {
    const { open, pass, disk, told } = opened()
    const { saves, saved, errors } = open()
    disk.failNextSync(0)
    saves.next(save(1))
    pass(SYNC)
    saves.next(save(2))
    pass(SYNC)
    expect(saved()).toEqual([])
    expect(errors).toEqual([new StorageError('the sync failed')])
    expect(told).toEqual(['failFsync'])
    expect(open().facts[0]).toMatchObject({ batches: [] })
  })

  it('refuses every write while it is full [F20]', () => {
    const { open, pass, disk, told } = opened()
    disk.fill(true)
    for (const sequence of [1, 1]) {
      const { saves, errors } = open()
      saves.next(save(sequence))
      expect(errors).toEqual([new StorageError('no space left on the disk')])
    }
    expect(told).toEqual(['fillDisk', 'fillDisk'])
    disk.fill(false)
    const { saves, saved } = open()
    saves.next(save(1))
    pass(SYNC)
    expect(saved()).toEqual([1])
  })

  it('is disturbed in the middle of the next sync', () => {
    const { open, pass, disk, clock } = opened()
    const { saves } = open()
    const at: number[] = []
    disk.duringSync(() => at.push(clock.now()))
    pass(100)
    expect(at).toEqual([])
    const begun = clock.now()
    saves.next(save(1))
    pass(100)
    expect(at).toHaveLength(1)
    expect(at[0]! - begun).toBeGreaterThan(0)
    expect(at[0]! - begun).toBeLessThan(SYNC)
  })

  it('cannot be read once a bit has flipped, and is empty once it is wiped', () => {
    const { open, pass, disk, told } = opened()
    const { saves } = open()
    saves.next(save(1))
    pass(SYNC)
    disk.lose(1)
    disk.wipe()
    expect(told).toEqual(['durable 1', 'wiped'])
    expect(open().facts[0]).toMatchObject({ term: 0, batches: [] })
    disk.lose(1)
    disk.flipBit()
    expect(open().errors).toEqual([expect.any(CorruptLog)])
  })
})
