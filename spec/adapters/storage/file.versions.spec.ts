import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verify } from '../../../adapters/storage/file.ts'
import { UnknownFormat } from '../../../lib/errors.ts'
import { crc32 } from 'node:zlib'
import { snapshotIn, someBytes } from './chunks.ts'
import { expectUnchanged } from './directories.ts'
import { directoryOfVersion } from './oldVersions.ts'
import { batch, entriesOf, reopen, run, save, saveAll } from './run.ts'
import { directoryWith, open } from './shortened.ts'

const ENTRIES = [
  ...['1@1 command one', '2@1 command two', `3@3 command ${'x'.repeat(12_000)}`],
  ...['4@3 command four', '5@3 command five', `6@3 command ${'y'.repeat(9_000)}`],
]

describe.each([1, 2] as const)('a directory that version %i wrote [F11]', (version) => {
  const files = directoryOfVersion(version)

  it('is what that version wrote', () => {
    expect(files['00000001.log']!.readUInt32LE(12)).toBe(version)
  })

  it('is in order, and has everything', async () => {
    const path = directoryWith(files)
    expect((await verify(path)).problems).toEqual([])
    const { term, vote, batches, snapshot } = await reopen(open(path))
    expect({ term, vote, entries: entriesOf(batches) }).toEqual({
      ...{ term: 3, vote: 'b', entries: ENTRIES },
    })
    if (version === 1) return expect(snapshot).toBeUndefined()
    expect(snapshot).toMatchObject({ index: 2, term: 1, members: { voters: ['a', 'b', 'c'] } })
    expect(await snapshotIn(open(path), 2)).toEqual(Buffer.from(someBytes(1000)))
  })

  it('goes on, and is read again', async () => {
    const path = directoryWith(files)
    await saveAll(open(path), [save(1, 4, 'a', batch(7, 4, ['seven']))])
    const { term, vote, batches } = await reopen(open(path))
    expect([term, vote]).toEqual([4, 'a'])
    expect(entriesOf(batches)).toEqual([...ENTRIES, '7@4 command seven'])
  })
})

describe('a newer version', () => {
  it.each([
    ['00000001.log', 4],
    ['00000002.log', 4],
    ['snapshot-2.snap', 2],
  ])('of %s is refused, and nothing is changed [F11]', async (name, version) => {
    const files = directoryOfVersion(2)
    const newer = files[name]!
    newer.writeUInt32LE(version, 12)
    newer.writeUInt32LE(crc32(newer.subarray(12, 4096)), 8)
    const path = directoryWith(files)
    const error = await run(open(path)).ended()
    expect(error).toBeInstanceOf(UnknownFormat)
    expect(error).toMatchObject({ file: join(path, name), version })
    expectUnchanged(path, files)
    expect((await verify(path)).problems).toMatchObject([{ code: 'unknown-format' }])
  })
})
