import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const BLOCK_BYTES = 512

/** Bytes that a directory takes on the disk, with all that is in it. */
export function bytesIn(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return names.reduce((sum, name) => {
    // A file may go while it is looked for.
    const found = statSync(join(directory, name), { throwIfNoEntry: false })
    return sum + (found?.blocks ?? 0) * BLOCK_BYTES
  }, 0)
}
