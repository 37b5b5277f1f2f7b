import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { firstValueFrom, lastValueFrom } from 'rxjs'
import { filter } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { file, inspect, refound, verify } from '../../../adapters/storage/file.ts'
import { refoundOn } from '../../../adapters/storage/file/refound.ts'
import {
  ConfigError,
  CorruptLog,
  DirectoryLocked,
  StorageError,
  WrongCluster,
} from '../../../lib/errors.ts'
import { membersIn } from '../../../lib/members.ts'
import { raft } from '../../../operators/engine/raft.ts'
import { network } from '../../../adapters/transport/memory.ts'
import { chunksOf, mark, snapshotAt, someBytes, write } from './chunks.ts'
import { contentOf, expectUnchanged } from './directories.ts'
import { faulty } from './faulty.ts'
import { directoryOfVersion } from './oldVersions.ts'
import { batch, entriesOf, reopen, run, save, saveAll } from './run.ts'
import { directory, directoryWith, flipped, without } from './shortened.ts'

const of = (path: string, cluster: string) =>
  file(path, { cluster, segmentSize: 16 << 10, unsafeNoFsync: true })

const founding = { cluster: 'shop-2', id: 'a', address: 'here' }

/** What is left of a cluster called shop: entries of terms 1 and 3, and a vote for another server. */
async function survivor(): Promise<string> {
  const path = directory()
  await saveAll(of(path, 'shop'), [
    save(1, 1, 'a', batch(1, 1, ['one', 'x'.repeat(12_000)])),
    save(2, 3, 'b', batch(3, 3, ['three', 'y'.repeat(12_000)])),
  ])
  await reopen(of(path, 'shop'))
  return path
}

const entriesIn = async (path: string, cluster: string) =>
  entriesOf((await reopen(of(path, cluster))).batches).map((entry) => entry.slice(0, 20))

describe('a cluster that has lost its majority', () => {
  it('begins anew from one that is left, which keeps every entry and belongs to the new one [F25]', async () => {
    const path = await survivor()
    const before = await entriesIn(path, 'shop')
    const told = await refound(path, founding)
    expect(told).toEqual({
      ...{ directory: path, backup: join(path, 'lost-cluster') },
      ...{ from: 'shop', cluster: 'shop-2', last: { index: 4, term: 3 }, snapshotIndex: 0 },
      ...{ oldTerm: 3, term: 1_000_003, index: 5 },
    })
    expect((await verify(path)).problems).toEqual([])
    expect(await run(of(path, 'shop')).ended()).toBeInstanceOf(WrongCluster)
    const { term, vote, batches } = await reopen(of(path, 'shop-2'))
    expect([term, vote]).toEqual([1_000_003, undefined])
    expect(
      entriesOf(batches)
        .slice(0, 4)
        .map((entry) => entry.slice(0, 20)),
    ).toEqual(before)
    expect(membersIn(batches.at(-1)!)).toMatchObject({
      ...{ index: 5, voters: ['a'], outgoing: [], learners: [], addresses: { a: 'here' } },
    })
  })

  it('is kept as it was, however often it is tried', async () => {
    const path = await survivor()
    const before = contentOf(path)
    const { backup } = await refound(path, founding)
    expect(contentOf(backup!)).toEqual(before)
    const again = await refound(path, { ...founding, cluster: 'shop-3' })
    expect(basename(again.backup!)).toBe('lost-cluster.2')
    expect(await entriesIn(again.backup!, 'shop-2')).toHaveLength(5)
    expect(again.term).toBe(2_000_003)
  })

  it('is told of before, and nothing is changed', async () => {
    const path = await survivor()
    const before = contentOf(path)
    const told = await refound(path, { ...founding, dryRun: true })
    expect(told).toMatchObject({ backup: undefined, last: { index: 4, term: 3 }, term: 1_000_003 })
    expectUnchanged(path, before)
  })

  it('is served by the one that is left, alone and with everything, also what nobody was told of', async () => {
    const path = await survivor()
    await refound(path, founding)
    const net = network()
    const node = raft({
      ...{
        id: 'a',
        members: ['a', 'b', 'c'],
        storage: of(path, 'shop-2'),
        transport: net.join('a'),
      },
      codec: {
        encode: (text: string) => Buffer.from(text),
        decode: (it) => Buffer.from(it).toString(),
      },
      machine: { initial: 0, apply: (count: number, text: string) => [count + text.length, count] },
      electionTimeout: [20, 40],
      heartbeat: 10,
    })
    const status$ = node.status$.pipe(
      filter(({ role, appliedIndex }) => role === 'leader' && appliedIndex >= 6),
    )
    const running = node.connect()
    const { term, members } = await firstValueFrom(status$)
    expect(term).toBeGreaterThan(1_000_003)
    expect(members).toMatchObject({ index: 5, voters: ['a'], outgoing: [] })
    expect(node.history(1).map(({ command }) => command.length)).toEqual([3, 12_000, 5, 12_000])
    await lastValueFrom(node.propose('more'))
    running.unsubscribe()
  })

  it('leaves either cluster when the machine fails in the middle', async () => {
    const outcomes = new Set<string>()
    for (let fatal = 1; ; fatal++) {
      const path = await survivor()
      let isOver = false
      const files = faulty((_change, nth) => {
        isOver = nth < fatal
        return nth < fatal ? 'works' : nth === fatal ? 'fails after' : 'fails'
      })
      await refoundOn(files, path, founding).catch(() => undefined)
      const { cluster } = await inspect(path)
      outcomes.add(cluster!)
      const entries = await entriesIn(path, cluster!)
      expect(entries.length).toBe(cluster === 'shop' ? 4 : 5)
      if (isOver) break
    }
    expect([...outcomes]).toEqual(['shop', 'shop-2'])
  })
})

describe('what is left', () => {
  it('may be of an older version, without the name of its cluster', async () => {
    for (const version of [1, 2] as const) {
      const path = directoryWith(directoryOfVersion(version))
      const told = await refound(path, founding)
      expect(told).toMatchObject({ from: undefined, last: { index: 6, term: 3 } })
      expect(told.snapshotIndex).toBe(version === 1 ? 0 : 2)
      expect(await entriesIn(path, 'shop-2')).toHaveLength(7)
    }
  })

  it('may end in a torn write, which is kept aside', async () => {
    const path = await survivor()
    const used = (await inspect(path)).segments.at(-1)!.used
    const last = join(path, '00000002.log')
    truncateSync(last, used - 10)
    const torn = contentOf(path)
    const told = await refound(path, founding)
    expect(told.last).toEqual({ index: 2, term: 1 })
    expect(contentOf(told.backup!)).toEqual(torn)
    expect(await entriesIn(path, 'shop-2')).toHaveLength(3)
  })

  it('may be a snapshot that stands for more than the log', async () => {
    const path = await survivor()
    await snapshotAt(of(path, 'shop'), 9, 5, someBytes(1000))
    const told = await refound(path, founding)
    expect(told).toMatchObject({ last: { index: 9, term: 5 }, snapshotIndex: 9, index: 10 })
    const { batches, snapshot } = await reopen(of(path, 'shop-2'))
    expect([batches.map(({ index }) => index), snapshot]).toEqual([[10], mark(9, 5)])
  })

  it('may be a snapshot and what came behind it', async () => {
    const path = await survivor()
    const node = run(of(path, 'shop'))
    await node.restored()
    await write(node, chunksOf(mark(9, 5), someBytes(1000)))
    node.save$.next({ ...save(1, 5, 'b', batch(10, 5, ['ten'])), reset: { index: 9, term: 5 } })
    await node.acknowledged(1)
    node.stop()
    const told = await refound(path, founding)
    expect(told).toMatchObject({ last: { index: 10, term: 5 }, snapshotIndex: 9, index: 11 })
    const { batches } = await reopen(of(path, 'shop-2'))
    expect(batches.map(({ index }) => index)).toEqual([10, 11])
  })

  it('is refused when it is damaged, in its log or in its snapshot, and is not touched', async () => {
    const files = directoryOfVersion(2)
    for (const [name, at] of [
      ['00000001.log', 4200],
      ['snapshot-2.snap', 4200],
    ] as const) {
      const damaged = { ...files, [name]: flipped(files[name]!, at) }
      const path = directoryWith(damaged)
      await expect(refound(path, founding)).rejects.toBeInstanceOf(CorruptLog)
      expectUnchanged(path, damaged)
    }
    const path = directoryWith(without(files, '00000001.log'))
    await expect(refound(path, founding)).resolves.toMatchObject({ last: { index: 6 } })
  })

  it('is refused while a server has it, when it is empty, and under the name that it had', async () => {
    const path = await survivor()
    const node = run(of(path, 'shop'))
    await node.restored()
    await expect(refound(path, founding)).rejects.toBeInstanceOf(DirectoryLocked)
    node.stop()
    const empty = directory()
    mkdirSync(empty, { recursive: true })
    writeFileSync(join(empty, 'notes.txt'), 'nothing')
    await expect(refound(empty, founding)).rejects.toBeInstanceOf(StorageError)
    for (const bad of [{ cluster: 'shop' }, { cluster: '' }, { id: '' }, { address: 7 as never }]) {
      await expect(refound(path, { ...founding, ...bad })).rejects.toBeInstanceOf(ConfigError)
    }
  })
})
