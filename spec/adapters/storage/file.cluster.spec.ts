import { describe, expect, it } from 'vitest'
import { file, inspect } from '../../../adapters/storage/file.ts'
import { ConfigError, WrongCluster } from '../../../lib/errors.ts'
import { fingerprintOf } from './directories.ts'
import { directoryOfVersion } from './oldVersions.ts'
import { batch, entriesOf, reopen, run, save, saveAll } from './run.ts'
import { directory, directoryWith, open } from './shortened.ts'

const of = (path: string, cluster: string) =>
  file(path, { cluster, segmentSize: 16 << 10, unsafeNoFsync: true })

const first = save(1, 1, 'a', batch(1, 1, ['x'.repeat(12_000)]))
const second = save(2, 1, 'a', batch(2, 1, ['y'.repeat(12_000)]))

describe('a directory of one cluster', () => {
  it('is refused to a server of another, by names, and is not touched', async () => {
    const path = directory()
    await saveAll(of(path, 'shop'), [first, second])
    await reopen(of(path, 'shop'))
    const before = fingerprintOf(path)
    const error = await run(of(path, 'bank')).ended()
    expect(error).toBeInstanceOf(WrongCluster)
    expect(error).toMatchObject({
      ...{ code: 'wrong-cluster', directory: path, cluster: 'shop', expected: 'bank' },
      message: expect.stringMatching(
        /belongs to cluster "shop".*opened for cluster "bank"/,
      ) as string,
    })
    expect(fingerprintOf(path)).toEqual(before)
    expect(entriesOf((await reopen(of(path, 'shop'))).batches)).toHaveLength(2)
  })

  it('says so from the beginning, also in the segments that follow', async () => {
    const path = directory()
    await reopen(of(path, 'shop'))
    expect(await inspect(path)).toMatchObject({ cluster: 'shop', segments: [{}] })
    await saveAll(of(path, 'shop'), [first, second])
    expect(await inspect(path)).toMatchObject({ cluster: 'shop', segments: [{}, {}] })
  })

  it('opens for whoever does not ask, and stays what it is', async () => {
    const path = directory()
    await saveAll(of(path, 'shop'), [first])
    await reopen(open(path))
    expect((await inspect(path)).cluster).toBe('shop')
  })

  it.each([1, 2] as const)(
    'may be of none yet, as of version %i, and is of the first that asks',
    async (version) => {
      const path = directoryWith(directoryOfVersion(version))
      expect((await inspect(path)).cluster).toBeUndefined()
      await reopen(open(path))
      expect((await inspect(path)).cluster).toBeUndefined()
      await reopen(of(path, 'shop'))
      expect(await run(of(path, 'bank')).ended()).toBeInstanceOf(WrongCluster)
    },
  )

  it('has a name as a transport takes it', async () => {
    const longest = 'ü'.repeat(127)
    const path = directory()
    await reopen(of(path, longest))
    expect((await inspect(path)).cluster).toBe(longest)
    for (const bad of ['', 'ü'.repeat(128), '\ud800', 7 as never]) {
      expect(() => of(path, bad), String(bad)).toThrow(ConfigError)
    }
  })
})
