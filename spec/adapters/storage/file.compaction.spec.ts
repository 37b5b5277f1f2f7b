import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { file, verify } from '../../../adapters/storage/file.ts'
import { fileStorage } from '../../../adapters/storage/file/storage.ts'
import type { Save } from '../../../lib/storage.ts'
import type { Index, Position } from '../../../lib/types.ts'
import { chunksOf, mark, snapshotIn, someBytes, write } from './chunks.ts'
import { released, temporaryDirectories } from './directories.ts'
import { faulty, type Fate } from './faulty.ts'
import { areConsecutive, batch, entriesOf, reopen, run, save, type Run } from './run.ts'

const directory = temporaryDirectories()
const SEGMENT = 16 << 10

/** What a node does to its disk, one thing after the other. */
type Deed = Save | { readonly snapshot: Position } | { readonly forget: Index }

const put = (sequence: number, index: number, term: number): Save =>
  save(sequence, term, 'abc'[term % 3], batch(index, term, [`${index % 10}`.repeat(3000)]))

const deeds: readonly Deed[] = [
  ...Array.from({ length: 9 }, (_, i) => put(i + 1, i + 1, i + 1)),
  { snapshot: { index: 7, term: 7 } },
  { forget: 6 },
  put(10, 10, 10),
  put(11, 11, 11),
  { snapshot: { index: 11, term: 11 } },
  { forget: 12 },
  save(12, 12, 'x'),
  { snapshot: { index: 30, term: 12 } },
  { ...save(13, 12, 'x'), reset: { index: 30, term: 12 } },
  ...Array.from({ length: 7 }, (_, i) => put(14 + i, 31 + i, 13 + i)),
  { snapshot: { index: 35, term: 17 } },
  { forget: 36 },
  put(21, 38, 20),
]

const contentOf = ({ index }: Position): Uint8Array => someBytes(600_000, index)

async function perform(node: Run, deed: Deed): Promise<void> {
  if ('snapshot' in deed) {
    const { index, term } = deed.snapshot
    await write(node, chunksOf(mark(index, term), contentOf(deed.snapshot), [260_000]))
  } else if ('forget' in deed) {
    node.save$.next({ type: 'forget', before: deed.forget })
  } else {
    const count = node.saved.length
    node.save$.next(deed)
    await node.acknowledged(count + 1)
  }
}

/** What must be there after some deeds, in the most obvious way. */
function stateAfter(done: readonly Deed[]) {
  let ballot = { term: 0, vote: undefined as string | undefined }
  let log: { index: number; text: string }[] = []
  let snapshot: Position | undefined
  let needed = 1
  for (const deed of done) {
    if ('snapshot' in deed) snapshot = deed.snapshot
    else if ('forget' in deed) needed = Math.max(needed, deed.forget)
    else {
      ballot = { term: deed.term, vote: deed.vote }
      if (deed.reset !== undefined) {
        log = []
        needed = deed.reset.index + 1
      }
      for (const it of deed.batches) log.push({ index: it.index, text: entriesOf([it])[0]! })
    }
  }
  return { ballot, log, snapshot, needed }
}

/** Opens the directory after a crash; fails unless it holds what `least` deeds left, or one more. */
async function expectSurvival(path: string, least: number): Promise<void> {
  const { inspection, problems } = await verify(path)
  expect(problems).toEqual([])
  const { term, vote, batches, snapshot } = await reopen(file(path, { segmentSize: SEGMENT }))
  expect(inspection).toMatchObject({ term, vote })
  const found = entriesOf(batches)
  const first = batches[0]?.index
  expect(areConsecutive(batches, first)).toBe(true)
  const isAfter = (count: number): boolean => {
    const state = stateAfter(deeds.slice(0, count))
    const expected = state.log.filter(({ index }) => index >= (first ?? Infinity))
    const isComplete = (first ?? Infinity) <= state.needed || state.log.length === 0
    return (
      JSON.stringify([state.ballot.term, state.ballot.vote]) === JSON.stringify([term, vote]) &&
      JSON.stringify(expected.map(({ text }) => text)) === JSON.stringify(found) &&
      (isComplete || state.log.every(({ index }) => index < state.needed)) &&
      state.snapshot?.index === snapshot?.index
    )
  }
  const shown = JSON.stringify([least, term, vote, snapshot, found.map((it) => it.slice(0, 20))])
  expect([least, least + 1].some(isAfter), shown).toBe(true)
  if (snapshot === undefined) return
  expect(first ?? 0).toBeLessThanOrEqual(snapshot.index + 1)
  const bytes = await snapshotIn(file(path, { segmentSize: SEGMENT }), snapshot.index)
  expect(bytes?.equals(contentOf(snapshot))).toBe(true)
  expect(readdirSync(path).filter((name) => name.includes('snap'))).toHaveLength(1)
}

/** A machine that dies at its `nth` change of the disk, as `last` says. */
async function dieAt(path: string, nth: number, last: (length: number) => Fate) {
  const files = faulty((_change, count, length) => {
    if (count < nth) return 'works'
    return count === nth ? last(length) : 'fails'
  })
  const node = run(fileStorage(files, path, SEGMENT))
  const end = node.ended().then(() => true)
  let done = 0
  const work = async (): Promise<boolean> => {
    await node.restored()
    for (const deed of deeds) {
      await perform(node, deed)
      done++
    }
    return false
  }
  const died = await Promise.race([end, work().catch(() => true)])
  node.stop()
  await released(path)
  return { done, died }
}

describe('a crash while snapshots are taken and the log is shortened', { timeout: 300_000 }, () => {
  it.each<[string, (length: number) => Fate]>([
    ['before', () => 'fails'],
    [
      'in the middle of',
      (length) => (length > 0 ? { writes: [[0, Math.floor(length / 2)]] } : 'fails after'),
    ],
    ['behind', () => 'fails after'],
  ])('%s any step of the way loses nothing [F7] [bug 27] [bug 28]', async (_when, fate) => {
    let deaths = 0
    for (let nth = 1; ; nth++) {
      const path = directory()
      mkdirSync(path, { recursive: true })
      const { done, died } = await dieAt(path, nth, fate)
      await expectSurvival(path, done)
      if (!died) break
      deaths++
    }
    expect(deaths).toBeGreaterThan(90)
  })

  it('that is a real kill, at any moment, leaves a snapshot and the log behind it [F7]', async () => {
    const path = directory()
    const script = fileURLToPath(new URL('holder.ts', import.meta.url))
    for (const lines of [20, 47, 63, 110, 171, 228]) {
      const args = ['--import', 'tsx', script, path, 'compact']
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      const exited = once(child, 'exit')
      let text = ''
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      while (text.split('\n').length < lines) await once(child.stdout, 'data')
      child.kill('SIGKILL')
      await exited
      await expectKept(path, text.split('\n').slice(0, -1))
    }
  })

  /** What the process said last is there, and the snapshot is the one that it wrote. */
  async function expectKept(path: string, said: readonly string[]): Promise<void> {
    const numbers = said.filter((it) => /^\d+$/.test(it)).map(Number)
    const taken = said.filter((it) => it.startsWith('snapshot')).map((it) => Number(it.slice(9)))
    expect((await verify(path)).problems).toEqual([])
    const storage = file(path, { segmentSize: SEGMENT })
    const { batches, snapshot, vote } = await reopen(storage)
    expect(vote).toBe('a')
    expect(batches.at(-1)!.index).toBeGreaterThanOrEqual(Math.max(...numbers))
    expect(areConsecutive(batches, batches[0]!.index)).toBe(true)
    expect(snapshot?.index ?? 0).toBeGreaterThanOrEqual(Math.max(0, ...taken))
    expect(batches[0]!.index).toBeLessThanOrEqual((snapshot?.index ?? 0) + 1)
    if (snapshot === undefined) return
    const bytes = await snapshotIn(storage, snapshot.index)
    expect(bytes?.equals(someBytes(1_500_000, snapshot.index))).toBe(true)
  }
})
