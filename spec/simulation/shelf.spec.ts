import { Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { noop } from '../../lib/batch.ts'
import { CorruptLog, InvariantError, StorageError } from '../../lib/errors.ts'
import type { DiskFact, DiskRequest, WriteChunk } from '../../lib/storage.ts'
import { Chance } from '../../testing/simulation/chance.ts'
import { VirtualClock } from '../../testing/simulation/clock.ts'
import { SimulatedDisk } from '../../testing/simulation/disk.ts'
import { foundingMembers } from '../../lib/members.ts'

const SYNC = 10

const markOf = (index: number) => ({ index, term: 1, members: foundingMembers(['a']) })

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Pieces of a snapshot, in order. */
const chunks = (index: number, texts: readonly string[], checksum?: number): WriteChunk[] =>
  texts.map((text, i) => {
    const offset = texts.slice(0, i).join('').length
    const isLast = i === texts.length - 1
    const sum = isLast ? checksum : undefined
    return {
      ...{ type: 'writeChunk', mark: markOf(index), offset, bytes: bytesOf(text), isLast },
      checksum: sum,
    }
  })

const read = (index: number, offset = 0): DiskRequest => ({
  ...{ type: 'readChunk', index, offset, reader: 'b' },
})

function opened(pieceBytes = 4) {
  const clock = new VirtualClock()
  const struck: string[] = []
  const witness = {
    durable: () => undefined,
    wiped: () => undefined,
    struck: (fault: string) => struck.push(fault),
  }
  const chance = new Chance(1, 'disk')
  const disk = new SimulatedDisk('a', clock, chance, witness, () => SYNC, pieceBytes)
  const pass = (ms: number): void => clock.runUntil(clock.now() + ms)
  const open = () => {
    const requests$ = new Subject<DiskRequest>()
    const facts: DiskFact[] = []
    const errors: unknown[] = []
    disk
      .open((run) => run())(requests$)
      .subscribe({ next: (fact) => facts.push(fact), error: (e: unknown) => errors.push(e) })
    pass(SYNC)
    const ask = (...asked: readonly DiskRequest[]): DiskFact[] => {
      facts.length = 0
      for (const request of asked) requests$.next(request)
      pass(SYNC * asked.length)
      return [...facts]
    }
    return { requests: requests$, facts, errors, ask }
  }
  const restored = () => {
    const { snapshot, batches } = disk.platter.read()
    return [snapshot?.index ?? 0, ...batches.map(({ index }) => index)]
  }
  return { clock, disk, struck, pass, open, restored }
}

describe('snapshots on the simulated disk', () => {
  it('are written piece by piece, each in its time, and hold up no save', () => {
    const { open, pass, restored } = opened()
    const { requests, facts } = open()
    const [first, last] = chunks(5, ['abc', 'de'])
    requests.next(first!)
    requests.next(last!)
    requests.next({ type: 'save', sequence: 1, term: 1, vote: 'a', batches: [noop(1, 1)] })
    pass(SYNC)
    expect(facts.slice(1)).toEqual([
      { type: 'chunkWritten', index: 5, end: 3, isLast: false },
      { type: 'saved', sequence: 1, term: 1 },
    ])
    expect(restored()).toEqual([0, 1])
    pass(SYNC)
    expect(facts.at(-1)).toEqual({ type: 'chunkWritten', index: 5, end: 5, isLast: true })
    expect(restored()).toEqual([5, 1])
  })

  it('are read piece by piece, with the checksum at the end, and not when another is meant', () => {
    const { open } = opened()
    const { ask } = open()
    ask(...chunks(5, ['abc', 'def']))
    const about = { type: 'chunkRead', reader: 'b', index: 5 }
    expect(ask(read(5), read(5, 4))).toEqual([
      { ...about, offset: 0, bytes: bytesOf('abcd'), isLast: false, checksum: undefined },
      {
        ...about,
        offset: 4,
        bytes: bytesOf('ef'),
        isLast: true,
        checksum: expect.any(Number) as number,
      },
    ])
    expect(ask(read(4))).toMatchObject([{ index: 4, bytes: undefined }])
  })

  it('are refused when they are not what their checksum says, and the one before still stands', () => {
    const { open, restored, disk, struck } = opened()
    const { ask } = open()
    ask(...chunks(5, ['abcdef']))
    const [fact] = ask(read(5, 4))
    const { checksum } = fact as Extract<DiskFact, { type: 'chunkRead' }>
    expect(ask(...chunks(6, ['abcdex'], checksum))).toEqual([{ type: 'chunkRefused', index: 6 }])
    disk.garbleNext()
    expect(ask(...chunks(6, ['abcdef'], checksum))).toEqual([{ type: 'chunkRefused', index: 6 }])
    expect(struck).toEqual(['garbleChunk'])
    expect(restored()).toEqual([5])
    expect(ask(...chunks(6, ['abcdef'], checksum))).toMatchObject([{ isLast: true }])
    expect(restored()).toEqual([6])
    expect(disk.snapshots).toEqual({ taken: 1, installed: 1 })
  })

  it.each([
    ['lost while a piece is on its way', 1, 1, 0],
    ['lost with its last piece', 2, 0, 0],
    ['there with its last piece, though nobody was told', 2, 1, 5],
  ])('are %s when the power fails', (_, written, keep, index) => {
    const { open, disk, restored, pass } = opened()
    const { requests } = open()
    const [first, last] = chunks(5, ['abc', 'de'])
    requests.next(first!)
    if (written === 2) pass(SYNC)
    if (written === 2) requests.next(last!)
    pass(SYNC / 2)
    disk.lose(keep)
    pass(100)
    expect(restored()).toEqual([index])
    const { errors, ask } = open()
    expect(() => ask(last!)).toThrow(InvariantError)
    expect(errors).toEqual([])
  })

  it('take up to the time that saves take, and may stand still with them', () => {
    const { open, disk, pass } = opened()
    const { requests, facts } = open()
    const [piece] = chunks(5, ['abc'])
    disk.slow(500)
    requests.next(piece!)
    pass(SYNC)
    expect(facts).toHaveLength(1)
    pass(500)
    expect(facts).toHaveLength(2)
    disk.slow(0)
    const stood = Array.from({ length: 20 }, () => {
      disk.stall(true)
      const before = facts.length
      requests.next(read(5))
      pass(1000)
      const isHeldUp = facts.length === before
      disk.stall(false)
      pass(SYNC)
      expect(facts).toHaveLength(before + 1)
      return isHeldUp
    })
    // It is only the saves that never go on meanwhile.
    expect(new Set(stood)).toEqual(new Set([true, false]))
  })

  it('do not fit on a full disk, which stops nobody [F20]', () => {
    const { open, disk, struck, restored } = opened()
    const { ask, errors } = open()
    disk.fill(true)
    expect(ask(...chunks(5, ['abc']))).toEqual([{ type: 'chunkRefused', index: 5 }])
    expect([struck, errors, restored()]).toEqual([['fillDisk'], [], [0]])
    disk.fill(false)
    expect(ask(...chunks(5, ['abc']))).toMatchObject([{ type: 'chunkWritten' }])
  })

  it('stop the node when their sync fails [F12]', () => {
    const { open, disk, restored } = opened()
    const { ask, errors } = open()
    disk.failNextSync(1)
    expect(ask(...chunks(5, ['abc', 'de']))).toMatchObject([{ isLast: false }])
    expect(errors).toEqual([new StorageError('the sync failed')])
    expect(restored()).toEqual([0])
  })

  it('that cannot be read stop the node, and keep it down until there is a newer one [F18]', () => {
    const { open, disk } = opened()
    expect(disk.flipSnapshot()).toBe(false)
    const { ask, errors } = open()
    ask(...chunks(5, ['abc']))
    expect(disk.flipSnapshot()).toBe(true)
    expect(ask(read(5))).toEqual([])
    expect(errors).toEqual([expect.any(CorruptLog)])
    expect(open().errors).toEqual([expect.any(CorruptLog)])
  })

  it('that are newer mend what could not be read', () => {
    const { open, disk } = opened()
    const { ask } = open()
    ask(...chunks(5, ['abc']))
    disk.flipSnapshot()
    ask(...chunks(6, ['abc']))
    expect(disk.isCorrupt).toBe(false)
    expect(ask(read(6))).toMatchObject([{ isLast: true }])
  })

  it('are disturbed in the middle of a piece', () => {
    const { open, disk, clock } = opened()
    const { ask } = open()
    const at: number[] = []
    const note = (): void => void at.push(clock.now())
    disk.duringPiece(note, false)
    const begun = clock.now()
    ask(...chunks(5, ['abc', 'de']))
    expect(at).toHaveLength(1)
    expect(at[0]! - begun).toBeLessThan(SYNC)
    disk.duringPiece(note, true)
    ask(...chunks(6, ['abc', 'de']), read(6))
    expect(at).toHaveLength(1)
    ask(...chunks(7, ['abc', 'de'], 1))
    expect(at).toHaveLength(2)
  })

  it('are never replaced by older ones, and pieces go on where the last one ended', () => {
    const { open } = opened()
    const { ask } = open()
    ask(...chunks(5, ['abc']))
    expect(() => ask(...chunks(4, ['abc']))).toThrow('a snapshot through 4 would replace one')
    expect(() => ask(chunks(6, ['abc', 'd', 'e'])[2]!)).toThrow(InvariantError)
  })
})

describe('a log behind a snapshot', () => {
  const save = (sequence: number, first: number, last = first) => ({
    ...({ type: 'save', sequence, term: 1, vote: 'a' } as const),
    batches: Array.from({ length: last - first + 1 }, (_, i) => noop(first + i, 1)),
  })

  it('forgets what it may, now or later, and nothing that no snapshot stands for', () => {
    const { open, disk, restored } = opened()
    const { ask } = open()
    ask(save(1, 1, 6), ...chunks(4, ['abc']))
    expect(() => disk.platter.forget(6)).toThrow('does not stand for 5')
    for (let i = 0; i < 20; i++) ask({ type: 'forget', before: 3 })
    expect(restored()).toEqual([4, 3, 4, 5, 6])
    expect([2, 3, 6, 7].map((i) => disk.platter.termAt(i))).toEqual([1, 1, 1, undefined])
    expect(disk.platter.termAt(1)).toBe(undefined)
  })

  it('that does not hold its last entry is replaced by it, also before the disk is told so (§7)', () => {
    const { open, disk, restored } = opened()
    const { ask } = open()
    ask(save(1, 1, 6))
    disk.platter.store({ mark: { ...markOf(4), term: 2 }, bytes: bytesOf(''), checksum: 0 })
    expect(disk.platter.lastIndex).toBe(4)
    expect([3, 4, 5].map((i) => disk.platter.termAt(i))).toEqual([undefined, 2, undefined])
    ask({ ...save(2, 5), term: 2, reset: { index: 4, term: 2 } })
    expect(restored()).toEqual([4, 5])
    expect(disk.platter.lastIndex).toBe(5)
  })

  it.each([
    ['begins', { ...save(1, 6), reset: { index: 5, term: 1 } }],
    ['goes on', save(1, 3)],
  ])('never %s where nothing stands for what is before', (_, wrong) => {
    const { open } = opened()
    expect(() => open().ask(wrong)).toThrow(InvariantError)
  })
})
