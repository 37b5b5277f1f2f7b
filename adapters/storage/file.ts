import { ConfigError } from '../../lib/errors.ts'
import type { Storage } from '../../operators/adapters.ts'
import { nodeFileSystem, withoutSync } from './file/filesystem.ts'
import { isClusterName } from './file/segment.ts'
import { fileStorage } from './file/storage.ts'

export { inspect, verify } from './file/inspection.ts'
export type {
  InspectedSegment,
  InspectedSnapshot,
  Inspection,
  Problem,
  Verification,
} from './file/inspection.ts'
export { refound, type Founding, type Refounded } from './file/refound.ts'

/** How a log lies on the disk. */
export interface FileOptions {
  /**
   * Bytes after which the log goes on in another file, 16 KiB to 1 GiB; a single larger save still fits.
   * The last file is written anew whenever the log is opened. Default: 16 MiB.
   */
  readonly segmentSize?: number
  /**
   * Which cluster the server belongs to, as its transport is told: 1 to 255 bytes. The directory is marked with
   * it, and from then on errors with `WrongCluster` when it is opened for another. Default: it is not asked.
   */
  readonly cluster?: string
  /**
   * Acknowledges writes that the disk does not have yet: they may be lost, and the cluster's promises
   * with them, when the machine loses power or its kernel stops. A process that dies loses nothing.
   * Default: false.
   */
  readonly unsafeNoFsync?: boolean
}

const MIN_SEGMENT = 16 << 10
const MAX_SEGMENT = 1 << 30

/**
 * A log in a directory, which is created if it is missing and belongs to one node at a time. Its format is
 * written down in docs/formats.md. Saves that arrive while the disk is busy share the next write, and
 * `Saved` follows when they would survive a power loss.
 *
 * ```
 * saves  -a---bc-----d---|
 * file   ---R--a---(bc)---d|
 * ```
 *
 * Snapshots lie beside the log, the newest only. The log's files are removed when all that is in them is
 * forgotten. A snapshot for which the disk has no space is refused, with a `snapshot-no-space` notice.
 *
 * A write that a crash interrupted is cut off, with a `torn-tail` notice after `Restored`. Errors with
 * `DirectoryLocked` when another subscription or process has the directory, `UnknownFormat` when a newer
 * version wrote it, `WrongCluster` when it belongs to a server of another cluster, `CorruptLog` when it holds what was never written (nothing is changed then), and
 * `StorageError` when the system refuses something, with its error as the cause: nothing is tried again
 * on the same file, but subscribing again opens it anew. Unsubscribing lets the write in flight finish
 * and closes everything; a later subscription waits for that.
 *
 * Throws `ConfigError`.
 *
 * @param directory The path, absolute or from the working directory.
 */
export function file(directory: string, options: FileOptions = {}): Storage {
  const { segmentSize = 16 << 20, unsafeNoFsync = false, cluster } = options
  if (typeof directory !== 'string' || directory === '') {
    throw new ConfigError('directory', directory, 'a path')
  }
  if (!Number.isInteger(segmentSize) || segmentSize < MIN_SEGMENT || segmentSize > MAX_SEGMENT) {
    const range = `a whole number of bytes from ${MIN_SEGMENT} to ${MAX_SEGMENT}`
    throw new ConfigError('segmentSize', segmentSize, range)
  }
  if (typeof unsafeNoFsync !== 'boolean') {
    throw new ConfigError('unsafeNoFsync', unsafeNoFsync, 'true or false')
  }
  if (cluster !== undefined && !isClusterName(cluster)) {
    throw new ConfigError('cluster', cluster, "a name of 1 to 255 bytes, such as 'accounts'")
  }
  const files = unsafeNoFsync ? withoutSync(nodeFileSystem) : nodeFileSystem
  return fileStorage(files, directory, segmentSize, cluster)
}
