import fs, { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { inspect, verify } from '../../../adapters/storage/file.ts'
import { mark } from './chunks.ts'
import { expectUnchanged } from './directories.ts'
import { reopen, run } from './run.ts'
import {
  BYTES,
  FIRST,
  directory,
  directoryWith,
  flipped,
  isSegment,
  madeOnce,
  open,
  segmentsIn,
} from './shortened.ts'

const made = madeOnce()

afterEach(() => vi.restoreAllMocks())

describe('inspect and verify', () => {
  it('tell what is there, and change nothing', async () => {
    const path = directoryWith(made.rest)
    const expected = {
      ...{ isHeld: false, term: 9, vote: 'b', torn: undefined, terms: [{ term: 9 }] },
      entries: { last: 30 },
      snapshot: { index: 20, term: 9, members: mark(20, 9).members, size: BYTES.length },
    }
    const inspection = await inspect(path)
    expect(inspection).toMatchObject(expected)
    expect(inspection.segments.map((it) => it.file)).toEqual(
      segmentsIn(path).map((name) => join(path, name)),
    )
    expect(await verify(path)).toEqual({ inspection, problems: [] })
    expectUnchanged(path, made.rest)
  })

  it('see that a node has the directory', async () => {
    const path = directoryWith(made.rest)
    const node = run(open(path))
    await node.restored()
    expect((await inspect(path)).isHeld).toBe(true)
    node.stop()
    await reopen(open(path))
    await vi.waitUntil(async () => (await inspect(path)).isHeld === false)
  })

  it('tell of a torn tail and leave it', async () => {
    const last = Object.keys(made.rest).filter(isSegment).at(-1)!
    const { used } = (await inspect(directoryWith(made.rest))).segments.at(-1)!
    const path = directoryWith({ ...made.rest, [last]: made.rest[last]!.subarray(0, used - 9) })
    const { torn } = await inspect(path)
    expect(torn).toMatchObject({ file: join(path, last) })
    expect((await verify(path)).problems).toEqual([])
    expect(readdirSync(path)).toHaveLength(Object.keys(made.rest).length)
  })

  it('say what is wrong with a segment', async () => {
    const first = Object.keys(made.rest).find(isSegment)!
    const path = directoryWith({ ...made.rest, [first]: flipped(made.rest[first]!, 4200) })
    const { problems } = await verify(path)
    expect(problems).toMatchObject([{ file: join(path, first), offset: 4096 }])
  })

  it('read again what a node shortens meanwhile', async () => {
    for (const tell of [inspect, async (at: string) => (await verify(at)).inspection!]) {
      const path = directoryWith(made.whole)
      const { open } = fs.promises
      vi.spyOn(fs.promises, 'open').mockImplementation((name, ...rest) => {
        if (name === join(path, FIRST)) rmSync(join(path, FIRST), { force: true })
        return open(name, ...rest)
      })
      const { segments, entries } = await tell(path)
      expect(segments[0]!.file).toBe(join(path, '00000002.log'))
      expect(entries!.last).toBe(30)
      vi.restoreAllMocks()
    }
  })

  it('reject for what cannot be read and stays', async () => {
    const path = directoryWith(made.rest)
    const error = Object.assign(new Error('ENOENT: planted'), { code: 'ENOENT' })
    vi.spyOn(fs.promises, 'open').mockRejectedValue(error)
    await expect(inspect(path)).rejects.toBe(error)
    await expect(verify(path)).rejects.toBe(error)
  })

  it('reject for a directory that is not there', async () => {
    await expect(inspect(join(directory(), 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(verify(join(directory(), 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
