import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesIn } from './harness/disk.ts'
import { start, type Added, type Cluster, type Outcome } from './harness/cluster.ts'
import type { Ground, Subject } from './harness/server.ts'
import { STATE_BYTES } from './large/state.ts'
import { results, type Result } from './report.ts'
import type { Effort, Suite } from './suite.ts'
import { header, rows } from './table.ts'

/** The load: an open loop, so that each command counts that had to wait for one that was held up. */
const LOAD = { perSecond: 5_000 }

/** The p99 that is aimed at, as a multiple of that without snapshots. */
const TARGET = 3

/**
 * Through many small objects the collector goes every second or two, whether a snapshot is taken or not; in a few large
 * buffers it finds nothing to do.
 */
const STATES = ['rows', 'buffers'] as const

interface Runs {
  readonly without: Outcome[]
  readonly manual: Outcome[]
  readonly automatic: Outcome[]
  readonly install: Outcome[]
}

export const snapshot: Suite = {
  name: 'snapshot',
  about: `${LOAD.perSecond} commands/s, as evenly as can be, while a state of ${Math.round(STATE_BYTES / 1e6)} MB is written and installed`,
  notQuick: true,
  run: async (effort, ground, print) => {
    const all: Result[] = []
    print(header())
    for (const state of STATES) {
      const found = report(state, await measure(state, effort, ground))
      print(rows(found))
      all.push(...found)
    }
    return all
  },
}

/** Long enough for two snapshots of each server, and for the collector to go through the state several times. */
const LONG_MS = 10_000

async function measure(state: string, effort: Effort, ground: Ground): Promise<Runs> {
  const runs: Runs = { without: [], manual: [], automatic: [], install: [] }
  for (let run = 0; run < effort.runs; run++) {
    await underLoad(`${state} manual`, effort, ground, (cluster) => byHand(cluster, runs))
    await underLoad(`${state} automatic`, effort, ground, async (cluster) => {
      runs.automatic.push(await cluster.during(() => sleep(LONG_MS)))
    })
  }
  return runs
}

/** A cluster with a large state, warm, and under the load while this is done. */
async function underLoad(
  way: string,
  { warmup }: Effort,
  ground: Ground,
  work: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const subject: Subject = { name: 'large', script: 'large.ts', way }
  const cluster = await start(subject, ground)
  try {
    await cluster.lead('fill')
    await cluster.drive(LOAD)
    await sleep(warmup * 1000)
    await work(cluster)
    await cluster.rest()
  } finally {
    await cluster.stop()
  }
}

async function byHand(cluster: Cluster, runs: Runs): Promise<void> {
  // As long as the others: in a shorter time the collector may not run.
  runs.without.push(await cluster.during(() => sleep(LONG_MS)))
  runs.manual.push(await cluster.during(() => cluster.all('snapshot')))
  const added = await cluster.add('d')
  try {
    runs.install.push(await cluster.during(() => takeIn(cluster, added)))
    await cluster.lead('change', { remove: ['d'] })
  } finally {
    await added.stop()
  }
}

/** A server with an empty disk becomes a member. */
async function takeIn(cluster: Cluster, added: Added): Promise<void> {
  const restored = added.ask('restored')
  await cluster.lead('change', { voters: ['d'], addresses: { d: added.address } })
  await restored
  const bytes = bytesIn(join(cluster.directory, 'd'))
  if (bytes < STATE_BYTES) throw new Error(`${bytes} bytes on its disk are no snapshot`)
}

function report(state: string, { without, manual, automatic, install }: Runs): Result[] {
  const targets = { p99: TARGET }
  const yardstick = { name: `${state}: without`, runs: without }
  const beside = (name: string, runs: Outcome[]): Result[] =>
    results('snapshot', { name: `${state}: ${name}`, runs, targets }, yardstick)
  return [
    ...results('snapshot', yardstick),
    ...beside('by hand', manual),
    ...beside('automatic', automatic),
    ...beside('install', install),
  ]
}
