import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { start, type Cluster } from './harness/cluster.ts'
import { bytesIn } from './harness/disk.ts'
import { growth, spread } from './harness/statistics.ts'
import type { Result } from './report.ts'
import type { Suite } from './suite.ts'

const OUTSTANDING = 1024

/** At most this share of what they are may disk and memory grow over the second half of the run. */
const TOLERANCE = 0.05

/** In MB: a directory has a file of the log more at one moment than at another. */
const LOG_FILE = 16.8

/** What the whole cluster has after so many commands: of each server, in MB. */
interface Sample {
  readonly commands: number
  readonly rss: readonly number[]
  readonly heap: readonly number[]
  readonly external: readonly number[]
  readonly disk: readonly number[]
}

const METRICS = ['rss', 'heap', 'external', 'disk'] as const

export const flat: Suite = {
  name: 'flat',
  about: `whether disk and memory stay as they are, with ${OUTSTANDING} commands on their way; after each part garbage is collected`,
  onlyNamed: true,
  run: async ({ entries }, ground, print) => {
    const subject = { name: 'engine', script: 'engine.ts', way: 'submit' }
    const cluster = await start(subject, ground)
    try {
      print(`${'commands'.padStart(12)}  ${METRICS.map((it) => `${it} MB`.padEnd(16)).join('  ')}`)
      const samples = await sampled(cluster, entries, print)
      const found = METRICS.map((metric) => result(metric, samples))
      print(verdict(found))
      return found
    } finally {
      await cluster.stop()
    }
  },
}

async function sampled(
  cluster: Cluster,
  entries: number,
  print: (text: string) => void,
): Promise<readonly Sample[]> {
  const part = Math.min(1_000_000, Math.ceil(entries / 10))
  const samples: Sample[] = []
  for (let commands = 0; commands < entries;) {
    commands += await settle(cluster, Math.min(part, entries - commands))
    const sample = { commands, ...(await look(cluster)) }
    samples.push(sample)
    print(row(sample))
  }
  return samples
}

/** Resolves with how many commands were settled: a few more than were wanted. */
async function settle(cluster: Cluster, wanted: number): Promise<number> {
  await cluster.drive({ outstanding: OUTSTANDING })
  while ((await cluster.count()) < wanted) await sleep(20)
  await cluster.rest()
  return cluster.count()
}

async function look(cluster: Cluster): Promise<Omit<Sample, 'commands'>> {
  const memory = await cluster.memory()
  return {
    rss: memory.map(({ rss }) => rss / 1e6),
    heap: memory.map(({ heapUsed }) => heapUsed / 1e6),
    external: memory.map(({ external }) => external / 1e6),
    disk: cluster.ids.map((id) => bytesIn(join(cluster.directory, id)) / 1e6),
  }
}

const row = ({ commands, ...sample }: Sample): string => {
  const cells = METRICS.map((metric) => sample[metric].map(Math.round).join(' ').padEnd(16))
  return `${commands.toLocaleString('en').padStart(12)}  ${cells.join('  ')}`
}

/** The server that grew most decides. */
function result(metric: (typeof METRICS)[number], samples: readonly Sample[]): Result {
  const late = samples.slice(Math.floor(samples.length / 2)).map((sample) => sample[metric])
  const servers = late[0]!.map((_, i) => late.map((values) => values[i]!))
  const grown = spread(servers.map(growth))
  const tolerance =
    metric === 'disk' ? Math.max(TOLERANCE, LOG_FILE / Math.min(...late[0]!)) : TOLERANCE
  return {
    ...{ suite: 'flat', case: `${samples.at(-1)!.commands} commands`, metric, unit: 'MB' },
    ...spread(late.flat()),
    ...{ runs: late.length, values: late.flat(), ratioTo: `the middle of the run` },
    ...{ ratio: 1 + grown.max, ratioMin: 1 + grown.min, ratioMax: 1 + grown.max },
    ...{ target: 1 + tolerance, met: grown.max <= tolerance },
  }
}

const verdict = (found: readonly Result[]): string =>
  found
    .map(({ metric, ratio, met }) => {
      const percent = ((ratio! - 1) * 100).toFixed(1)
      return `${metric}: ${percent} % over the second half: ${met === true ? 'flat' : 'GROWS'}`
    })
    .join('\n')
