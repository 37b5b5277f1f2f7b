import { join } from 'node:path'
import { pack, type Batch } from '../../../lib/batch.ts'
import { ConfigError, StorageError } from '../../../lib/errors.ts'
import { encodeMembers, foundingMembers } from '../../../lib/members.ts'
import type { Save } from '../../../lib/storage.ts'
import type { Index, NodeId, Position, Term } from '../../../lib/types.ts'
import { advance, type Standing } from '../log.ts'
import { nodeFileSystem, syncDirectory, syncPath, type FileSystem } from './filesystem.ts'
import { verifyFile } from './inspection.ts'
import { lockDirectory } from './lock.ts'
import { renewed } from './open.ts'
import { bodyLength, encodeRecord, recordLength } from './record.ts'
import { recover, type Recovered } from './recovery.ts'
import { createSegment, isClusterName, isSegmentDraft, prepareSegment } from './segment.ts'
import { isDraft } from './snapshotFile.ts'

/** The cluster that a survivor founds alone. */
export interface Founding {
  /** Its name: one that no cluster of these servers ever had. */
  readonly cluster: string
  /** The survivor's own. */
  readonly id: NodeId
  /** Where others find it, as their transport understands it. Default: they are told when they join. */
  readonly address?: string
  /** Tells what would be done, and changes nothing. Default: false. */
  readonly dryRun?: boolean
}

/** What was done to a directory, or would be. */
export interface Refounded {
  readonly directory: string
  /** Where the files are as they were; `undefined` when nothing was done. */
  readonly backup: string | undefined
  /** Which cluster the server belonged to, and which it belongs to now. */
  readonly from: string | undefined
  readonly cluster: string
  /** The last entry that was there. What came after it, on servers that are lost, is lost. */
  readonly last: Position
  /** Entries through this one are known to have been committed; of those after it nobody knows. */
  readonly snapshotIndex: Index
  /** The term that the cluster had here, and the one in which it begins anew. */
  readonly oldTerm: Term
  readonly term: Term
  /** The entry that holds the new configuration. */
  readonly index: Index
}

/**
 * A term is a fencing token, and those who are lost may have seen some that the survivor has not: the new
 * cluster begins so many later.
 */
const TERMS = 1_000_000

/**
 * Makes a cluster of one out of the directory of a server whose cluster has lost its quorum for good, without
 * asking anybody: **unsafe**. All entries of the survivor stay and will be committed, also those that nobody was
 * told of; what only the others had is lost. Do it to one survivor, the one with the highest last term and,
 * of several, the highest last index (`inspect`); the others join it anew, on empty directories and under other ids.
 *
 * The directory is locked and verified as a whole; its files are copied into a folder in it; then one file
 * takes another's place, so that a crash leaves either cluster. From then on the directory belongs to
 * `cluster`. Servers of the old cluster do not talk to one of the new.
 *
 * Rejects with `ConfigError`, `DirectoryLocked`, `CorruptLog`, `UnknownFormat`, `StorageError` when there is no
 * log, or the system's error.
 */
export async function refound(directory: string, founding: Founding): Promise<Refounded> {
  checkFounding(founding)
  const release = await lockDirectory(directory, () => false)
  try {
    return await refoundOn(nodeFileSystem, directory, founding)
  } finally {
    await release()
  }
}

function checkFounding({ cluster, id, address }: Founding): void {
  if (!isClusterName(cluster)) {
    throw new ConfigError('cluster', cluster, "a name of 1 to 255 bytes, such as 'accounts-2'")
  }
  if (typeof id !== 'string' || id === '') throw new ConfigError('id', id, 'a non-empty string')
  if (address !== undefined && typeof address !== 'string') {
    throw new ConfigError('address', address, 'a string')
  }
}

/** The same on any file system, for whoever has the lock. */
export async function refoundOn(
  files: FileSystem,
  directory: string,
  founding: Founding,
): Promise<Refounded> {
  const found = await recover(files, directory)
  if (found.tail === undefined) throw new StorageError(`${directory} holds no log`)
  const { cluster, dryRun = false } = founding
  if (found.cluster === cluster) {
    throw new ConfigError('cluster', cluster, 'another name than that of the cluster that is lost')
  }
  if (found.snapshot !== undefined) await verifyFile(files, found.snapshot.file)
  const { cluster: from, snapshot } = found
  const oldTerm = found.standing.term
  const last = lastOf(found)
  const save = beginning(found, founding, last)
  const [{ index, term }] = save.batches as [Batch]
  const told = { directory, from, cluster, last, oldTerm, term, index }
  const snapshotIndex = snapshot?.mark.index ?? 0
  if (dryRun) return { ...told, snapshotIndex, backup: undefined }
  const backup = await keepAside(files, directory)
  await write(files, directory, found, cluster, save)
  return { ...told, snapshotIndex, backup }
}

/** The last entry that a server which starts now has, its own or through the snapshot. */
function lastOf({ standing, snapshot }: Recovered): Position {
  const { lastIndex: index } = standing
  if (snapshot !== undefined && isReplaced(standing, snapshot.mark)) return snapshot.mark
  return { index, term: termAt(standing, index) ?? 0 }
}

/** Whether the snapshot stands for all of the log, which does not hold the snapshot's last entry (§7). */
const isReplaced = (standing: Standing, { index, term }: Position): boolean =>
  index > standing.lastIndex ||
  (termAt(standing, index) !== term && standing.runs[0]?.index !== index + 1)

const termAt = ({ runs, lastIndex }: Standing, index: Index): Term | undefined =>
  index > lastIndex ? undefined : runs.findLast((run) => run.index <= index)?.term

/** What the new cluster begins with: a configuration of one, in a term of its own. */
function beginning(found: Recovered, { id, address }: Founding, last: Position): Save {
  const { standing, sequence, snapshot } = found
  const term = Math.max(standing.term, snapshot?.mark.term ?? 0) + TERMS
  const index = last.index + 1
  const addresses = address === undefined ? {} : { [id]: address }
  const bytes = pack([encodeMembers({ ...foundingMembers([id], addresses), index })])
  const batch: Batch = { index, term, kind: 'members', count: 1, bytes }
  const isReset = snapshot !== undefined && isReplaced(standing, snapshot.mark)
  const reset = isReset && { reset: { index: last.index, term: last.term } }
  const save = { sequence, term, vote: undefined, batches: [batch], ...reset }
  advance(standing, save)
  return { type: 'save', ...save }
}

/** Copies of all files, in a folder beside them: nothing of the old cluster is destroyed. */
async function keepAside(files: FileSystem, directory: string): Promise<string> {
  const names = await files.list(directory)
  let folder = 'lost-cluster'
  for (let i = 2; names.includes(folder); i++) folder = `lost-cluster.${i}`
  const backup = join(directory, folder)
  await files.makeDirectory(backup)
  for (const name of names.filter(isKept)) {
    await files.copy(join(directory, name), join(backup, name))
    await syncPath(files, join(backup, name))
  }
  await syncDirectory(files, backup)
  await syncDirectory(files, directory)
  return backup
}

/** Logs and snapshots that are whole, and what was kept of torn ones. */
const isKept = (name: string): boolean =>
  /\.(log|snap|broken)$/.test(name) && !isSegmentDraft(name) && !isDraft(name)

/** The last segment anew, with one more record and under the name of the new cluster, all at once. */
async function write(
  files: FileSystem,
  directory: string,
  found: Recovered,
  cluster: string,
  save: Save,
): Promise<void> {
  const { logId, sequence, segments } = found
  const tail = renewed(found, cluster)!
  const { number } = segments.at(-1)!
  const ballot = { term: save.term, vote: save.vote }
  const content = Buffer.alloc(tail.length + recordLength(bodyLength(ballot, [save])))
  tail.copy(content)
  const place = { logId: logId!, segment: number, offset: tail.length, sequence: sequence + 1 }
  encodeRecord(content.subarray(tail.length), place, ballot, [save])
  const direct = await prepareSegment(files, directory, number, content.length)
  await files.close(await createSegment(files, directory, number, content, direct))
}
