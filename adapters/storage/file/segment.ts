import { constants } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { CorruptLog, UnknownFormat } from '../../../lib/errors.ts'
import { appendAll } from './append.ts'
import { BLOCK } from './blocks.ts'
import { syncDirectory, type FileSystem } from './filesystem.ts'
import { readU64, writeU64 } from './numbers.ts'

/** Versions of the format, as in docs/formats.md: what is written, and what can be read. */
const FORMAT_VERSION = 3
const OLDEST_VERSION = 1
const WITH_CLUSTER = 3

/** The header has a block of its own, so that no append ever writes over it. */
export const SEGMENT_HEADER = BLOCK

const MAGIC = Buffer.from('rxraft\0\n', 'latin1')

/** Only a copy of the same server's disk helps: an emptied one would vote twice. */
export const REMEDY =
  'Nothing was changed. Bring this file back from a copy of the same disk, or remove the server ' +
  'from the cluster and add another one, under a new id and on an empty directory'

/** What a segment's first block says about it. */
export interface SegmentHeader {
  /** Counts the segments of a log from 1. */
  readonly number: number
  /** Drawn at random for each directory: a file of another server is recognised. */
  readonly logId: bigint
  /** The sequence that the segment's first record has, or will have. */
  readonly firstSequence: number
  /** Which cluster the server belongs to; `undefined` where nobody has said so. */
  readonly cluster?: string | undefined
}

/** Where the length of the cluster's name stands, and how long it may be. */
const CLUSTER_OFFSET = 40
const CLUSTER_BYTES = 255

/** Whether a cluster can be called so: 1 to 255 bytes, the same when it is read again. */
export function isClusterName(name: unknown): name is string {
  if (typeof name !== 'string') return false
  const bytes = Buffer.from(name)
  return bytes.length > 0 && bytes.length <= CLUSTER_BYTES && bytes.toString() === name
}

export const segmentName = (number: number): string => `${String(number).padStart(8, '0')}.log`

/** The numbers of the segments among the files of a directory, in order. */
export function segmentNumbers(names: readonly string[]): number[] {
  const segments = names.filter((name) => /^\d{8,}\.log$/.test(name))
  return segments.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b)
}

/** Whether the file is a segment that is not part of the log yet. */
export const isSegmentDraft = (name: string): boolean => /^\d{8,}\.log\.new$/.test(name)

export function encodeHeader(header: SegmentHeader): Buffer {
  const block = Buffer.alloc(SEGMENT_HEADER)
  MAGIC.copy(block)
  block.writeUInt32LE(FORMAT_VERSION, 12)
  block.writeUInt32LE(header.number, 16)
  block.writeBigUInt64LE(header.logId, 24)
  writeU64(block, header.firstSequence, 32)
  block.writeUInt32LE(block.write(header.cluster ?? '', CLUSTER_OFFSET + 4), CLUSTER_OFFSET)
  block.writeUInt32LE(crc32(block.subarray(12)), 8)
  return block
}

/** Throws `CorruptLog` or `UnknownFormat`. */
export function decodeHeader(bytes: Buffer, path: string): SegmentHeader {
  const corrupt = (reason: string): CorruptLog => new CorruptLog(path, 0, reason, REMEDY)
  if (bytes.length < SEGMENT_HEADER) throw corrupt('the file is too short for its header')
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw corrupt('this is no log segment')
  if (bytes.readUInt32LE(8) !== crc32(bytes.subarray(12, SEGMENT_HEADER))) {
    throw corrupt('the checksum of the header is wrong')
  }
  const version = bytes.readUInt32LE(12)
  if (version < OLDEST_VERSION || version > FORMAT_VERSION) throw new UnknownFormat(path, version)
  return {
    number: bytes.readUInt32LE(16),
    logId: bytes.readBigUInt64LE(24),
    firstSequence: readU64(bytes, 32),
    cluster: version < WITH_CLUSTER ? undefined : clusterIn(bytes),
  }
}

function clusterIn(bytes: Buffer): string | undefined {
  const start = CLUSTER_OFFSET + 4
  return bytes.toString('utf8', start, start + bytes.readUInt32LE(CLUSTER_OFFSET)) || undefined
}

/** A segment that is not there yet: its zeros are, so that no append changes what the file system knows. */
const draftOf = (directory: string, number: number): string =>
  `${join(directory, segmentName(number))}.new`

/**
 * Lays out the zeros of a segment that will be created, which takes the disk a while. Resolves with the
 * flag under which the segment is to be written: some file systems refuse direct writes.
 */
export async function prepareSegment(
  files: FileSystem,
  directory: string,
  number: number,
  size: number,
): Promise<number> {
  const draft = draftOf(directory, number)
  if (files.directFlag !== 0) {
    try {
      await files.zeros(draft, size, files.directFlag)
      return files.directFlag
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
    }
  }
  await files.zeros(draft, size, 0)
  return 0
}

/** Removes the zeros of a segment that was not needed; opening the log would, too. */
export const discardPrepared = (
  files: FileSystem,
  directory: string,
  number: number,
): Promise<void> => files.remove(draftOf(directory, number)).catch(() => undefined)

/**
 * Brings a prepared segment with this content into being, in place of one with the same number if there
 * is one, on an inode of its own and all at once: no crash leaves half of it. Resolves with a descriptor
 * to append to.
 */
export async function createSegment(
  files: FileSystem,
  directory: string,
  number: number,
  content: Buffer,
  directFlag: number,
): Promise<number> {
  const path = join(directory, segmentName(number))
  const draft = draftOf(directory, number)
  const { O_RDWR } = constants
  const fd = await files.open(draft, O_RDWR)
  try {
    await appendAll(files, fd, content)
    await files.sync(fd)
  } finally {
    await files.close(fd)
  }
  await files.rename(draft, path)
  await syncDirectory(files, directory)
  return files.open(path, O_RDWR | files.durableFlag | directFlag)
}
