import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { nodeFileSystem, type FileSystem } from '../../adapters/storage/file/filesystem.ts'
import { decodeBody, readHeader, readRecord } from '../../adapters/storage/file/record.ts'
import { recover } from '../../adapters/storage/file/recovery.ts'
import { fileStorage } from '../../adapters/storage/file/storage.ts'
import { CorruptLog, UnknownFormat } from '../../lib/errors.ts'
import { contentOf, temporaryDirectories } from '../adapters/storage/directories.ts'
import { batch, entriesOf, logAfter, save, saveAll } from '../adapters/storage/run.ts'
import { damage, damaged } from './anything.ts'

const directory = temporaryDirectories()
const FIRST = '00000001.log'
const HEADER = 4096

/** A directory that holds these files and nothing else. */
const holding = (files: Readonly<Record<string, Uint8Array>>): FileSystem => ({
  ...nodeFileSystem,
  list: () => Promise.resolve(Object.keys(files)),
  readFile: (path) => Promise.resolve(Buffer.from(files[path.replace(/^.*\//, '')]!)),
})

const saves = [
  save(1, 1, 'a'),
  save(2, 1, 'a', batch(1, 1, [''], 'noop'), batch(2, 1, ['one', 'two'])),
  save(3, 2, undefined, batch(3, 2, ['x'.repeat(700)])),
  save(4, 2, 'b', batch(4, 2, ['three'])),
]

/** The bytes of a log with a record for each save. */
async function someLog(): Promise<Buffer> {
  const path = directory()
  for (const it of saves) await saveAll(fileStorage(nodeFileSystem, path, 1 << 16), [it])
  return contentOf(path)[FIRST]!.subarray(0, HEADER + 2048)
}

/** Recovers, or gives the error, which is one of two. */
async function recovered(files: Readonly<Record<string, Uint8Array>>) {
  try {
    return await recover(holding(files), '/log')
  } catch (error) {
    const isTyped = error instanceof CorruptLog || error instanceof UnknownFormat
    if (!isTyped) throw error
    expect(error.message).toMatch(/\w/)
    return undefined
  }
}

/** Where records stand. */
function recordsIn(bytes: Buffer): number[] {
  const places: number[] = []
  for (let at = HEADER; ;) {
    const record = readRecord(bytes, at)
    if (record === undefined) return places
    places.push(at)
    at = record.end
  }
}

/** Makes the checksums right again, so that what is behind them is asked too. */
function resealed(bytes: Buffer, at: number): Buffer {
  const sealed = Buffer.from(bytes)
  const body = sealed.readUInt32LE(at + 44)
  const end = at + 48 + Math.ceil(body / 8) * 8 + 8
  if (end > sealed.length) return sealed
  sealed.writeUInt32LE(crc32(sealed.subarray(at + 12, at + 48)), at + 8)
  sealed.writeUInt32LE(crc32(sealed.subarray(at + 8, end)), at + 4)
  return sealed
}

describe('a segment', () => {
  it('of any bytes is refused with a typed error or read, and takes no memory by its lengths [F15] [F55]', async () => {
    const before = process.memoryUsage().arrayBuffers
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 6000 }), async (bytes) => {
        expect(await recovered({ [FIRST]: bytes })).toBeUndefined()
      }),
      { numRuns: 300 },
    )
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(256 << 20)
  })

  it('that is damaged gives a prefix of what it held, or is refused [F14] [F15] [F16]', async () => {
    const whole = await someLog()
    const logs = saves.map((_, i) => logAfter(saves.slice(0, i + 1)))
    expect(entriesOf((await recovered({ [FIRST]: whole }))!.batches)).toEqual(logs.at(-1))
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (all) => {
        const bytes = all.reduce<Uint8Array>(damaged, new Uint8Array(whole))
        const found = await recovered({ [FIRST]: bytes })
        if (found === undefined) return
        expect([[], ...logs]).toContainEqual(entriesOf(found.batches))
      }),
      { numRuns: 1_500 },
    )
  })

  it('whose records are altered behind right checksums is refused, or holds a log in order [F17] [F19]', async () => {
    const whole = await someLog()
    const places = recordsIn(whole)
    expect(places).toHaveLength(4)
    let read = 0
    await fc.assert(
      fc.asyncProperty(
        fc.nat(3),
        fc.array(damage, { minLength: 1, maxLength: 2 }),
        async (i, all) => {
          const at = places[i]!
          const record = new Uint8Array(whole.subarray(at, places[i + 1] ?? at + 200))
          const altered = all.reduce<Uint8Array>(damaged, record)
          const bytes = Buffer.from(whole)
          bytes.set(altered.subarray(0, record.length), at)
          const found = await recovered({ [FIRST]: resealed(bytes, at) })
          if (found === undefined) return
          read++
          let last = { index: 0, count: 1, term: 0 }
          for (const it of found.batches) {
            expect(it.index).toBe(last.index + last.count)
            expect(it.term).toBeGreaterThanOrEqual(last.term)
            expect(it.term).toBeLessThanOrEqual(found.standing.term)
            last = it
          }
        },
      ),
      { numRuns: 1_500 },
    )
    expect(read).toBeGreaterThan(10)
  })

  it('in a wrong number, or beside files of any name, is no reason to fall over [F17]', async () => {
    const whole = await someLog()
    const names = fc.uniqueArray(
      fc.oneof(
        fc.constantFrom(FIRST, '00000002.log', '00000000.log', '99999999999.log', `${FIRST}.new`),
        fc.string({ maxLength: 12 }).filter((name) => !name.includes('/')),
      ),
      { maxLength: 4 },
    )
    await fc.assert(
      fc.asyncProperty(names, async (all) => {
        await recovered(Object.fromEntries(all.map((name) => [name, whole])))
      }),
      { numRuns: 300 },
    )
  })
})

describe('a record', () => {
  const bytes = fc.uint8Array({ maxLength: 300 })

  it('of any bytes is none, and asking takes no memory [F53] [F54]', () => {
    fc.assert(
      fc.property(bytes, fc.nat(310), (noise, at) => {
        const buffer = Buffer.from(noise)
        // With the right beginning, and a length that is far more than there is.
        if (buffer.length >= at + 48) {
          buffer.writeUInt32LE(0x65527872, at)
          buffer.writeUInt32LE(0xffff_ffff, at + 44)
        }
        expect(readRecord(buffer, at)).toBeUndefined()
        expect(() => readHeader(buffer, at)).not.toThrow()
      }),
      { numRuns: 2_000 },
    )
  })

  it('whose body is anything is decoded, or a RangeError, and never longer than it is [F53] [F55]', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom(undefined, 1, 2), (noise, type) => {
        const body = Buffer.from(noise)
        if (type !== undefined && body.length > 0) body[0] = type
        try {
          const { batches } = decodeBody(body)
          const taken = batches.reduce((sum, it) => sum + it.bytes.length, 0)
          expect(taken).toBeLessThanOrEqual(body.length)
          for (const it of batches) expect(it.bytes.buffer).toBe(body.buffer)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})
