import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { WrongCluster } from '../../../lib/errors.ts'
import type { Notice, Restored } from '../../../lib/storage.ts'
import type { Standing } from '../log.ts'
import { syncDirectory, syncPath, type FileSystem } from './filesystem.ts'
import { recover, type Recovered, type SegmentSummary, type Torn } from './recovery.ts'
import {
  createSegment,
  decodeHeader,
  encodeHeader,
  isSegmentDraft,
  prepareSegment,
} from './segment.ts'
import { isDraft } from './snapshotFile.ts'
import type { OpenSnapshot } from './snapshotReader.ts'

/** A log that is ready to be appended to. */
export interface OpenLog {
  readonly directory: string
  readonly restored: Restored
  readonly notices: readonly Notice[]
  readonly standing: Standing
  readonly logId: bigint
  /** As every new segment says. */
  readonly cluster: string | undefined
  /** The sequence of the last record. */
  readonly sequence: number
  /** The last segment: its number and its descriptor. */
  readonly number: number
  readonly fd: number
  /** The flag under which files of this directory go past the page cache; 0 where they do not. */
  readonly direct: number
  /** What the last segment holds: the next record goes behind it. */
  readonly content: Uint8Array
  /** Every segment, as it was found. */
  readonly segments: readonly SegmentSummary[]
  readonly snapshot: OpenSnapshot | undefined
}

/** Creates the directory and its missing parents, so that they survive a power loss. */
export async function makeDirectory(files: FileSystem, directory: string): Promise<void> {
  const path = resolve(directory)
  const first = await files.makeDirectory(path)
  if (first === undefined) return
  const parent = dirname(resolve(first))
  const steps = relative(parent, path).split(sep)
  for (let i = 0; i < steps.length; i++) {
    await syncDirectory(files, join(parent, ...steps.slice(0, i)))
  }
}

/**
 * Reads the log and makes it fit to go on with. The last segment is always written anew: after a crash
 * or a failed write, what was read of it may exist in the page cache only, and no later fsync would bring
 * it to the disk. That also cuts a torn tail off. A log that belongs to no cluster yet belongs to `ours` from
 * then on.
 */
export async function openLog(
  files: FileSystem,
  directory: string,
  segmentSize: number,
  ours: string | undefined,
): Promise<OpenLog> {
  const recovered = await recover(files, directory)
  const cluster = recovered.cluster ?? ours
  if (ours !== undefined && cluster !== ours) throw new WrongCluster(directory, cluster!, ours)
  const { standing, segments, sequence, torn } = recovered
  const logId = recovered.logId ?? randomBytes(8).readBigUInt64LE()
  const number = segments.at(-1)?.number ?? 1
  const content =
    renewed(recovered, cluster) ?? encodeHeader({ number, logId, firstSequence: 1, cluster })
  await removeDrafts(files, directory)
  const direct = await prepareSegment(files, directory, number, segmentSize)
  // Where there is no room for the segment, there is no copy either: not one more with each attempt.
  const notices = torn === undefined ? [] : [await keepBroken(files, directory, torn)]
  const fd = await createSegment(files, directory, number, content, direct)
  const snapshot = await settle(files, recovered, direct).catch(async (error: unknown) => {
    await files.close(fd)
    throw error
  })
  const restored = restoredFrom(recovered)
  return {
    ...{ directory, restored, notices, standing, logId, cluster, sequence },
    ...{ number, fd, direct, content, segments, snapshot },
  }
}

function restoredFrom({ standing, batches, snapshot, torn }: Recovered): Restored {
  const { term, vote } = standing
  return {
    ...{ type: 'restored', term, vote, batches },
    ...(snapshot !== undefined && { snapshot: snapshot.mark }),
    ...(torn !== undefined && { isTorn: true }),
  }
}

/** The newest snapshot alone stays. The directory is durable by now, and so is that one's name. */
async function settle(
  files: FileSystem,
  { snapshot, outdated }: Recovered,
  direct: number,
): Promise<OpenSnapshot | undefined> {
  for (const file of outdated) await files.remove(file)
  if (snapshot === undefined) return undefined
  return { ...snapshot, fd: await files.open(snapshot.file, constants.O_RDWR | direct) }
}

/** What the last segment holds, under a header of the present version. */
export function renewed(
  { tail, segments }: Recovered,
  cluster: string | undefined,
): Buffer | undefined {
  if (tail === undefined) return undefined
  encodeHeader({ ...decodeHeader(tail, segments.at(-1)!.file), cluster }).copy(tail)
  return tail
}

/** Keeps the file as the crash left it beside the one that takes its place. */
async function keepBroken(files: FileSystem, directory: string, torn: Torn): Promise<Notice> {
  const names = await files.list(directory)
  let name = `${basename(torn.file)}.broken`
  for (let i = 2; names.includes(name); i++) name = `${basename(torn.file)}.${i}.broken`
  const copy = join(directory, name)
  await files.copy(torn.file, copy)
  await syncPath(files, copy)
  await syncDirectory(files, directory)
  const message =
    `${torn.file} ended in a write that a crash interrupted (${torn.reason}): cut off at offset ` +
    `${torn.offset}; ${copy} keeps the file as it was`
  return { type: 'notice', source: 'storage', code: 'torn-tail', message }
}

/** Drops segments and snapshots that a crash kept from coming into being. */
async function removeDrafts(files: FileSystem, directory: string): Promise<void> {
  const names = await files.list(directory)
  for (const name of names.filter((it) => isSegmentDraft(it) || isDraft(it))) {
    await files.remove(join(directory, name))
  }
}
