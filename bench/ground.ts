import { mkdirSync, statfsSync } from 'node:fs'
import { cpus, totalmem, type } from 'node:os'
import { resolve } from 'node:path'

/** File systems in memory, where fdatasync costs nothing: tmpfs and ramfs, by their magic numbers. */
const IN_MEMORY = [0x01021994, 0x858458f6]

/** A directory to work in, which must lie on a disk. */
export function onDisk(directory: string): string {
  const path = resolve(directory)
  mkdirSync(path, { recursive: true })
  if (!IN_MEMORY.includes(statfsSync(path).type)) return path
  throw new Error(`${path} lies in memory: name a directory on a disk with --dir`)
}

/** What the numbers were measured on. */
export function machine(): string {
  const [first] = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${cpus().length} × ${first?.model.trim() ?? 'CPU'}, ${memory}, ${type()}, Node ${process.versions.node}`
}
