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
    const runs: Runs = { without: [], manual: [], automatic: [], install: [] }
    for (let run = 0; run < effort.runs; run++) {
      await underLoad('manual', effort, ground, (cluster) => byHand(cluster, effort, runs))
      await underLoad('automatic', effort, ground, async (cluster) => {
        runs.automatic.push(await cluster.during(() => sleep(AUTOMATIC_MS)))
      })
    }
    const found = report(runs)
    print(`${header()}\n${rows(found)}`)
    return found
  },
}

/** Long enough for two snapshots of each server. */
const AUTOMATIC_MS = 10_000

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

async function byHand(cluster: Cluster, { seconds }: Effort, runs: Runs): Promise<void> {
  runs.without.push(await cluster.during(() => sleep(seconds * 1000)))
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

function report({ without, manual, automatic, install }: Runs): Result[] {
  const targets = { p99: TARGET }
  const yardstick = { name: 'without', runs: without }
  return [
    ...results('snapshot', yardstick),
    ...results('snapshot', { name: 'by hand', runs: manual, targets }, yardstick),
    ...results('snapshot', { name: 'automatic', runs: automatic, targets }, yardstick),
    ...results('snapshot', { name: 'install', runs: install, targets }, yardstick),
  ]
}
