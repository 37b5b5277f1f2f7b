import { lastIndexOf, type Batch } from '../../../lib/batch.ts'
import { CorruptLog, UnknownFormat } from '../../../lib/errors.ts'
import type { Index, Mark, NodeId, Term } from '../../../lib/types.ts'
import { nodeFileSystem, type FileSystem } from './filesystem.ts'
import { isHeld } from './lock.ts'
import { recover, type Recovered, type Torn } from './recovery.ts'
import { openSnapshot, verifySnapshot } from './snapshotReader.ts'

/** What a directory holds. Sizes are in bytes. */
export interface Inspection {
  readonly directory: string
  /** Whether a node has the directory open; `undefined` where that cannot be seen. */
  readonly isHeld: boolean | undefined
  /** Drawn when the directory was created, in hexadecimal; `undefined` for a directory without a log. */
  readonly logId: string | undefined
  /** Which cluster the server belongs to; `undefined` where nobody has said so. */
  readonly cluster: string | undefined
  readonly term: Term
  /** Whom the server voted for in `term`. */
  readonly vote: NodeId | undefined
  /** The entries that are there; `undefined` when there are none. */
  readonly entries: { readonly first: Index; readonly last: Index } | undefined
  /** Where the entries of each term begin, in order. */
  readonly terms: readonly { readonly term: Term; readonly index: Index }[]
  readonly segments: readonly InspectedSegment[]
  readonly snapshot: InspectedSnapshot | undefined
  /** A write at the end of the log that a crash interrupted: the next start cuts it off. */
  readonly torn: Torn | undefined
}

export interface InspectedSegment {
  readonly file: string
  readonly records: number
  readonly size: number
  /** How much of it its header and records take. */
  readonly used: number
}

export interface InspectedSnapshot extends Mark {
  readonly file: string
  /** Bytes of the snapshot itself. */
  readonly size: number
  /** CRC-32 of them. */
  readonly checksum: number
}

/** Something that was never written so, or that a newer version wrote. */
export interface Problem {
  readonly code: 'corrupt-log' | 'unknown-format'
  readonly file: string
  readonly offset: number
  readonly reason: string
  readonly remedy: string
}

export interface Verification {
  /** What was found in order; `undefined` when the log was not. */
  readonly inspection: Inspection | undefined
  /** The first one of the log and the first one of the snapshot. Empty when everything is in order. */
  readonly problems: readonly Problem[]
}

/**
 * Tells what a log directory holds, changes nothing and takes no lock: of a directory that a node has open,
 * what is being written may look torn. Every checksum of the log is read, and of a snapshot those of its header
 * and its end.
 *
 * Rejects with `CorruptLog`, `UnknownFormat`, or the system's error.
 */
export const inspect = (directory: string): Promise<Inspection> =>
  whileItChanges(directory, async () =>
    inspectionOf(directory, await isHeld(directory), await recover(nodeFileSystem, directory)),
  )

/**
 * Reads every checksum of a log directory, changes nothing and takes no lock: of a directory that a node
 * has open, what is being written may look torn or damaged.
 *
 * Rejects with the system's error when something cannot be read.
 */
export const verify = (directory: string): Promise<Verification> =>
  whileItChanges(directory, () => verification(directory))

/** A node that has the directory removes files of it: reads again as long as others are there than before. */
async function whileItChanges<T>(directory: string, read: () => Promise<T>): Promise<T> {
  const list = async (): Promise<string> => (await nodeFileSystem.list(directory)).sort().join()
  for (let names = await list(); ;) {
    try {
      return await read()
    } catch (error) {
      const now = await list()
      if (now === names) throw error
      names = now
    }
  }
}

async function verification(directory: string): Promise<Verification> {
  const files = nodeFileSystem
  const problems: Problem[] = []
  const held = await isHeld(directory)
  const recovered = await recover(files, directory).catch((error: unknown) => {
    problems.push(problemOf(error))
    return undefined
  })
  if (recovered === undefined) return { inspection: undefined, problems }
  const { snapshot } = recovered
  if (snapshot !== undefined) {
    await verifyFile(files, snapshot.file).catch((error: unknown) =>
      problems.push(problemOf(error)),
    )
  }
  return { inspection: inspectionOf(directory, held, recovered), problems }
}

export async function verifyFile(files: FileSystem, file: string): Promise<void> {
  const snapshot = await openSnapshot(files, file)
  try {
    await verifySnapshot(files, snapshot)
  } finally {
    await files.close(snapshot.fd)
  }
}

/** Throws what is no problem of the directory. */
function problemOf(error: unknown): Problem {
  if (error instanceof CorruptLog) {
    const { code, file, offset, reason, remedy } = error
    return { code, file, offset, reason, remedy }
  }
  if (error instanceof UnknownFormat) {
    const { code, file, version } = error
    const remedy = 'Nothing was changed. Use the version of rxraft that wrote it, or a newer one'
    return { code, file, offset: 12, reason: `its format has version ${version}`, remedy }
  }
  throw error
}

function inspectionOf(
  directory: string,
  held: boolean | undefined,
  { logId, cluster, standing, batches, segments, snapshot, torn }: Recovered,
): Inspection {
  const [first] = batches
  const last = batches.at(-1)
  return {
    ...{ directory, isHeld: held, logId: logId?.toString(16).padStart(16, '0'), cluster },
    ...{ term: standing.term, vote: standing.vote, torn, terms: termsOf(batches) },
    entries: first && last && { first: first.index, last: lastIndexOf(last) },
    segments: segments.map(({ file, records, size, used }) => ({ file, records, size, used })),
    snapshot: snapshot && {
      ...snapshot.mark,
      ...{ file: snapshot.file, size: snapshot.size, checksum: snapshot.checksum },
    },
  }
}

function termsOf(batches: readonly Batch[]): { term: Term; index: Index }[] {
  const terms: { term: Term; index: Index }[] = []
  for (const { term, index } of batches) {
    if (term !== terms.at(-1)?.term) terms.push({ term, index })
  }
  return terms
}
