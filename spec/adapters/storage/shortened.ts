import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, vi } from 'vitest'
import { file, inspect, verify } from '../../../adapters/storage/file.ts'
import { PIECE } from '../../../adapters/storage/file/snapshotFile.ts'
import { CorruptLog } from '../../../lib/errors.ts'
import type { Save } from '../../../lib/storage.ts'
import { chunksOf, mark, someBytes, write } from './chunks.ts'
import { contentOf, expectUnchanged, temporaryDirectories } from './directories.ts'
import { batch, reopen, run, save } from './run.ts'

export const directory = temporaryDirectories()
export const open = (path: string) => file(path, { segmentSize: 16 << 10, unsafeNoFsync: true })
export const isSegment = (name: string): boolean => name.endsWith('.log')
export const segmentsIn = (path: string): string[] => readdirSync(path).filter(isSegment).sort()

export const FIRST = '00000001.log'
export const SNAPSHOT = 'snapshot-20.snap'
export const BYTES = someBytes(2 * PIECE + 1000)

/** One record each, three or four to a segment; the ballot stands in the first one only. */
export const saves: Save[] = Array.from({ length: 30 }, (_, i) =>
  save(i + 1, 9, 'b', batch(i + 1, 9, [`${i % 10}`.repeat(3000)])),
)

/** A log of all saves, with a snapshot through entry 20; and what is left of it before entry 18 is forgotten. */
export async function logs() {
  const path = directory()
  const node = run(open(path))
  for (const it of saves) {
    node.save$.next(it)
    await node.acknowledged(it.sequence)
  }
  await write(node, chunksOf(mark(20, 9), BYTES))
  const whole = contentOf(path)
  node.save$.next({ type: 'forget', before: 18 })
  await vi.waitUntil(() => segmentsIn(path).length < 6)
  node.stop()
  await reopen(open(path))
  return { whole, rest: contentOf(path), path }
}

export function directoryWith(files: Record<string, Buffer>): string {
  const path = directory()
  mkdirSync(path, { recursive: true })
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes)
  return path
}

export const without = (files: Record<string, Buffer>, ...names: string[]) =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)))

export function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 0x10
  return copy
}

/** Opening refuses, says where, and leaves every file as it was; so does verifying. */
export async function expectRefusal(
  files: Record<string, Buffer>,
  where: { file: string; offset?: number; reason?: string },
): Promise<void> {
  const path = directoryWith(files)
  const error = await run(open(path)).ended()
  expect(error).toBeInstanceOf(CorruptLog)
  const expected = {
    ...where,
    file: join(path, where.file),
    ...(where.reason !== undefined && { reason: expect.stringContaining(where.reason) as string }),
    remedy: expect.stringContaining('Nothing was changed') as string,
  }
  expect(error).toMatchObject(expected)
  const { inspection, problems } = await verify(path)
  expect(inspection).toBeUndefined()
  expect(problems).toMatchObject([expected])
  await expect(inspect(path)).rejects.toMatchObject(expected)
  expectUnchanged(path, files)
}

/** The files of {@link logs}, made once for a spec. */
export function madeOnce(): { whole: Record<string, Buffer>; rest: Record<string, Buffer> } {
  const made = { whole: {}, rest: {} }
  beforeAll(async () => {
    Object.assign(made, await logs())
  })
  return made
}
