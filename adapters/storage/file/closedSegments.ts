import { join } from 'node:path'
import { lastIndexOf } from '../../../lib/batch.ts'
import type { Save } from '../../../lib/storage.ts'
import type { Index } from '../../../lib/types.ts'
import { syncDirectory, type FileSystem } from './filesystem.ts'
import type { OpenLog } from './open.ts'
import { segmentName } from './segment.ts'

/** A segment with records, and the highest index of an entry in it that anybody could need. */
interface Part {
  readonly number: number
  highest: Index
}

/**
 * Removes segments whose entries a snapshot stands for (§7), the oldest first and each durably, so that a
 * crash leaves the end of the log whole. The newest one with a record in it always stays: it has the
 * ballot.
 */
export class ClosedSegments {
  private readonly parts: Part[]
  /** No entry before this one is needed. */
  private before: Index
  private isSweeping = false
  private swept = Promise.resolve()
  private stopped = false

  constructor(
    private readonly files: FileSystem,
    private readonly log: Pick<OpenLog, 'directory' | 'segments' | 'snapshot'>,
    private readonly failed: (error: unknown) => void,
  ) {
    this.parts = log.segments
      .filter(({ records }) => records > 0)
      .map(({ number, highest }) => ({ number, highest }))
    this.before = log.snapshot === undefined ? 0 : 1
  }

  /** These saves are durable in this segment. */
  written(number: number, saves: readonly Save[]): void {
    if (this.parts.at(-1)?.number !== number) {
      this.parts.push({ number, highest: 0 })
      // The one before it has all its entries now.
      this.forget(this.before)
    }
    if (saves[0]?.reset !== undefined) {
      for (const part of this.parts) part.highest = 0
      this.forget(1)
    }
    const newest = this.parts.at(-1)!
    for (const { batches } of saves) {
      for (const batch of batches) newest.highest = Math.max(newest.highest, lastIndexOf(batch))
    }
  }

  forget(before: Index): void {
    this.before = Math.max(this.before, before)
    if (!this.isSweeping) this.swept = this.sweep().catch(this.failed)
  }

  /** Lets the removal in hand finish and begins no other. */
  async close(): Promise<void> {
    this.stopped = true
    await this.swept
  }

  private async sweep(): Promise<void> {
    const { files, parts, log } = this
    this.isSweeping = true
    while (!this.stopped && parts.length > 1 && parts[0]!.highest < this.before) {
      await files.remove(join(log.directory, segmentName(parts[0]!.number)))
      await syncDirectory(files, log.directory)
      parts.shift()
    }
    this.isSweeping = false
  }
}
