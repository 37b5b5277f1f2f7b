import { join } from 'node:path'
import { Cleanup } from './cleanup.ts'
import { run, whyNot } from './command.ts'
import { mountDisk } from './disk.ts'
import { atRandom, drop } from './firewall.ts'
import { kinds, type Kind } from './kinds.ts'
import { namespaces } from './network.ts'
import { compileShim, findFaketime, type Libraries } from './preload.ts'

/** What can be done here. */
export interface Means {
  readonly kinds: readonly Kind[]
  /** Whether each server gets a network of its own. */
  readonly hasNamespaces: boolean
  readonly libraries: Libraries
  /** What is left out, and why: a sentence each. */
  readonly missing: readonly string[]
}

/** What each means is for. */
const needs = {
  namespaces: ['cut', 'oneWayCut', 'loss'],
  statistic: ['loss'],
  mounts: ['fullDisk'],
  faketime: ['clockJump'],
  shim: ['failingFsync'],
} as const satisfies Record<string, readonly Kind[]>

/** Finds out by trying, in `directory`, and leaves nothing behind but the compiled shim. */
export function probe(directory: string, isLoopback: boolean, only: readonly Kind[]): Means {
  const libraries: { shim?: string; faketime?: string } = {}
  const byRoot = (attempt: () => void): string | undefined =>
    isLoopback ? '--loopback' : whyNot(attempt)
  const failures = {
    namespaces: byRoot(() => tryNamespaces('-s 198.18.0.1/32')),
    statistic: byRoot(() => tryNamespaces(atRandom(0.5))),
    mounts: byRoot(() => tryMount(directory)),
    faketime: whyNot(() => (libraries.faketime = findFaketime())),
    shim: whyNot(() => (libraries.shim = compileShim(directory))),
  }
  const { kinds, missing } = without(failures)
  return {
    kinds: kinds.filter((kind) => only.includes(kind)),
    missing,
    hasNamespaces: failures.namespaces === undefined,
    libraries,
  }
}

/** The kinds that remain, when some means are missing for the given reasons. */
export function without(
  failures: Readonly<Record<keyof typeof needs, string | undefined>>,
): Pick<Means, 'kinds' | 'missing'> {
  const missing: string[] = []
  let left: readonly Kind[] = kinds
  for (const [means, users] of Object.entries(needs)) {
    const reason = failures[means as keyof typeof needs]
    const lost = left.filter((kind) => reason !== undefined && users.some((it) => it === kind))
    if (lost.length > 0) missing.push(`no ${lost.join(', ')}: no ${means} (${reason})`)
    left = left.filter((kind) => !lost.includes(kind))
  }
  return { kinds: left, missing }
}

function tryNamespaces(match: string): void {
  const cleanup = new Cleanup()
  try {
    const [site] = namespaces(['a'], cleanup)
    drop(site!, [match])()
  } finally {
    cleanup.run()
  }
}

function tryMount(directory: string): void {
  const cleanup = new Cleanup()
  try {
    const point = join(directory, 'probe')
    mountDisk(point, cleanup)
    run('fallocate', ['-l', '4096', join(point, 'file')])
  } finally {
    cleanup.run()
  }
}
