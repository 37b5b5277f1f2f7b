import fc from 'fast-check'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { file, verify } from '../../adapters/storage/file.ts'
import { blocks } from '../../adapters/storage/file/blocks.ts'
import { nodeFileSystem } from '../../adapters/storage/file/filesystem.ts'
import { PIECE } from '../../adapters/storage/file/snapshotFile.ts'
import { openSnapshot, readPiece } from '../../adapters/storage/file/snapshotReader.ts'
import { CorruptLog, UnknownFormat } from '../../lib/errors.ts'
import { mark, snapshotAt, someBytes } from '../adapters/storage/chunks.ts'
import { temporaryDirectories } from '../adapters/storage/directories.ts'
import { reopen, save, saveAll } from '../adapters/storage/run.ts'
import { damage, damaged } from './anything.ts'

const directory = temporaryDirectories()
const CONTENT = Buffer.from(someBytes(300_000))
const NAME = 'snapshot-7.snap'
const HEADER = 4096

let path: string
let whole: Buffer
beforeAll(async () => {
  path = directory()
  const storage = file(path, { unsafeNoFsync: true, segmentSize: 16 << 10 })
  await saveAll(storage, [save(1, 2, 'a')])
  await snapshotAt(storage, 7, 2, CONTENT)
  await reopen(storage)
  whole = readFileSync(join(path, NAME))
})

/** Everything that can be read of a snapshot file, or the typed error that says why nothing more can. */
async function contentOf(bytes: Uint8Array): Promise<Buffer | CorruptLog | UnknownFormat> {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, NAME), bytes)
  try {
    const snapshot = await openSnapshot(nodeFileSystem, join(path, NAME))
    const parts: Uint8Array[] = []
    const room = blocks(PIECE)
    try {
      for (let at = 0; at < snapshot.size; at += parts.at(-1)!.length) {
        parts.push(new Uint8Array(await readPiece(nodeFileSystem, snapshot, at, room)))
        // What was handed on is what was written, whatever comes behind it.
        expect(CONTENT.subarray(at, at + parts.at(-1)!.length).equals(parts.at(-1)!)).toBe(true)
      }
    } finally {
      await nodeFileSystem.close(snapshot.fd)
    }
    return Buffer.concat(parts)
  } catch (error) {
    if (error instanceof CorruptLog || error instanceof UnknownFormat) return error
    throw error
  }
}

/** Makes the checksum of the header right again, so that what is behind it is asked too. */
function resealed(bytes: Buffer): Buffer {
  const sealed = Buffer.from(bytes)
  if (sealed.length >= HEADER) sealed.writeUInt32LE(crc32(sealed.subarray(12, HEADER)), 8)
  return sealed
}

describe('a snapshot', () => {
  it('of any bytes is refused with a typed error [F18] [F55]', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 6000 }), async (bytes) => {
        expect(await contentOf(bytes)).toBeInstanceOf(CorruptLog)
      }),
      { numRuns: 300 },
    ))

  it('that is damaged hands on nothing but what was written [F18] [F19]', async () => {
    expect((await contentOf(whole)) as Buffer).toEqual(CONTENT)
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (all) => {
        const bytes = all.reduce<Uint8Array>(damaged, new Uint8Array(whole))
        const found = await contentOf(bytes)
        if (Buffer.isBuffer(found)) expect(found.equals(CONTENT)).toBe(true)
        const { problems } = await verify(path)
        expect(problems.length > 0).toBe(!whole.equals(bytes))
      }),
      { numRuns: 300 },
    )
  })

  it('whose header is altered behind a right checksum is refused, or says what a mark can say', () =>
    fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 2 }), async (all) => {
        const start = new Uint8Array(whole.subarray(0, 200))
        const altered = all.reduce<Uint8Array>(damaged, start).subarray(0, 200)
        const bytes = Buffer.from(whole)
        bytes.set(altered)
        writeFileSync(join(path, NAME), resealed(bytes))
        try {
          const { fd, ...found } = await openSnapshot(nodeFileSystem, join(path, NAME))
          await nodeFileSystem.close(fd)
          expect(found.mark.index).toBeGreaterThan(0)
          expect(found.mark.members.voters.every((id) => typeof id === 'string')).toBe(true)
        } catch (error) {
          const isTyped = error instanceof CorruptLog || error instanceof UnknownFormat
          if (!isTyped) throw error
        }
      }),
      { numRuns: 500 },
    ))

  it('gives its mark back', async () => {
    writeFileSync(join(path, NAME), whole)
    const { fd, ...found } = await openSnapshot(nodeFileSystem, join(path, NAME))
    await nodeFileSystem.close(fd)
    expect(found).toMatchObject({ mark: mark(7, 2), size: CONTENT.length })
  })
})
