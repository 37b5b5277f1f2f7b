import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cleanup } from './cleanup.ts'
import { run, whyNot } from './command.ts'

/** Bytes of a server's disk: a sparse file, of which only what is written takes room. */
const SIZE = 512 << 20

/** A file system of its own for one server: ext4 on a loop device, or a tmpfs where there is none. */
export function mountDisk(directory: string, cleanup: Cleanup): void {
  mkdirSync(directory, { recursive: true })
  if (whyNot(() => mountImage(directory)) !== undefined) {
    run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', directory])
  }
  // Lazily: a server that was just killed may still hold a file open.
  cleanup.defer(() => run('umount', ['-l', directory]))
}

function mountImage(directory: string): void {
  const image = `${directory}.img`
  writeFileSync(image, '')
  truncateSync(image, SIZE)
  run('mkfs.ext4', ['-q', '-m', '0', image])
  run('mount', ['-o', 'loop', image, directory])
}

let fillers = 0

/** Milliseconds until room that has become free is taken, too. */
const GREED = 10

/** Less room than this, in bytes, is no use to anybody. */
const CRUMB = 64 << 10

/** Takes all room that is left on a disk, and what becomes free, until the result is called. */
export function fill(directory: string): () => void {
  const filler = join(directory, `filler-${fillers++}`)
  const parts: string[] = []
  const take = (): void => {
    for (let size = freeBytes(directory); size >= CRUMB; size = Math.floor(size / 2)) {
      const part = `${filler}.${parts.length}`
      parts.push(part)
      if (whyNot(() => run('fallocate', ['-l', String(size), part])) === undefined) return
    }
  }
  take()
  const taking = setInterval(take, GREED)
  return () => {
    clearInterval(taking)
    for (const part of parts) rmSync(part, { force: true })
  }
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}
