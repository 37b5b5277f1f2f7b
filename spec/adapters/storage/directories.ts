import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { lockDirectory } from '../../../adapters/storage/file/lock.ts'

/** Gives directories that are gone after the spec. Call it at the top of a file. */
export function temporaryDirectories(): () => string {
  const root = mkdtempSync(join(tmpdir(), 'rxraft-storage-'))
  let count = 0
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  return () => join(root, String(++count), 'log')
}

/** Waits until a storage that was stopped has finished what it had begun: the kernel may still be at it. */
export async function released(directory: string): Promise<void> {
  const release = await lockDirectory(directory, () => false)
  await release()
}

/** Every regular file of a directory with its bytes, but for a segment that is not one yet. */
export function contentOf(directory: string): Record<string, Buffer> {
  const files = readdirSync(directory)
    .filter((name) => !name.endsWith('.new') && statSync(join(directory, name)).isFile())
    .sort()
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(directory, name))]))
}

/** Compared in native code: the runner takes seconds for megabytes. */
export function expectUnchanged(path: string, files: Record<string, Buffer>): void {
  const found = contentOf(path)
  expect(Object.keys(found)).toEqual(Object.keys(files).sort())
  expect(Object.keys(found).filter((name) => !found[name]!.equals(files[name]!))).toEqual([])
}

/** The same in short: comparing megabytes takes the test runner seconds. */
export const fingerprintOf = (directory: string): string[] =>
  Object.entries(contentOf(directory)).map(
    ([name, bytes]) => `${name} ${createHash('sha256').update(bytes).digest('hex')}`,
  )
