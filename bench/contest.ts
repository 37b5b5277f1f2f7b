import { etcd, etcdIsAbsent } from './etcd.ts'
import { list } from './list.ts'
import { figure, type Aim, type Result } from './report.ts'
import type { Suite } from './suite.ts'
import { nameOf, traffics, type Contender, type Served, type Traffic } from './traffic.ts'

/** Makes a contender that works in a directory. */
type Make = (directory: string) => Promise<Contender>

/** Measures these in turns with etcd, where it is installed. */
export const contest = (suite: Pick<Suite, 'name' | 'about'>, ours: readonly Make[]): Suite => ({
  ...suite,
  notQuick: true,
  run: async (effort, { directory }, print) => {
    const { runs, seconds } = effort
    const absent = etcdIsAbsent()
    if (absent !== undefined) print(absent)
    const makes = [...ours, ...(absent === undefined ? [etcd] : [])]
    const contenders: Contender[] = []
    try {
      for (const make of makes) contenders.push(await make(directory))
      const all = await inTurns(contenders, traffics(effort), runs, seconds)
      const found = all.flatMap((it) => report(suite.name, it))
      print(list(found))
      return found
    } finally {
      for (const contender of contenders) await contender.stop()
    }
  },
})

/** What each contender made of the same traffic, in the order of their turns. */
interface Turns {
  readonly traffic: Traffic
  readonly all: readonly { readonly name: string; readonly runs: Served[] }[]
}

async function inTurns(
  contenders: readonly Contender[],
  traffics: readonly Traffic[],
  runs: number,
  seconds: number,
): Promise<readonly Turns[]> {
  const turns = traffics.map((traffic): Turns => {
    return { traffic, all: contenders.map(({ name }) => ({ name, runs: [] })) }
  })
  let filled: number | undefined
  for (const { traffic, all } of turns) {
    if (filled !== traffic.bytes) {
      for (const contender of contenders) await contender.fill(traffic.bytes)
    }
    filled = traffic.bytes
    for (let run = 0; run < runs; run++) {
      for (const [i, contender] of contenders.entries()) {
        all[i]!.runs.push(await contender.serve(traffic, seconds))
      }
    }
  }
  return turns
}

const METRICS = [
  ['p50', 'p50'],
  ['p99', 'p99'],
  ['p99.9', 'p999'],
  ['max', 'max'],
] as const

function report(suite: string, { traffic, all }: Turns): Result[] {
  const last = all.at(-1)!
  return all.flatMap(({ name, runs }) => {
    const named = { suite, case: `${name}: ${nameOf(traffic)}` }
    const one = (metric: string, unit: string, read: (served: Served) => number): Result => {
      const values = runs.map(read)
      if (name === last.name) return figure({ ...named, metric, unit, values })
      const yardstick = { name: last.name, values: last.runs.map(read) }
      return figure({ ...named, metric, unit, values, yardstick, aim: aimOf(traffic, metric) })
    }
    return [
      one('throughput', 'ops/s', ({ rate }) => rate),
      ...METRICS.map(([metric, key]) => one(metric, 'ms', (served) => served[key])),
    ]
  })
}

/** What is aimed at, of etcd's. */
const AIMS: Readonly<Record<string, Aim>> = {
  'put 16 throughput': { atLeast: 3 },
  'put 256 throughput': { atLeast: 8 },
  'put 1000 throughput': { atLeast: 10 },
  'put 1 p50': { atMost: 0.65 },
  'put 256 p99': { atMost: 0.3 },
  'get 256 throughput': { atLeast: 8 },
}

export const aimOf = ({ kind, clients, bytes }: Traffic, metric: string): Aim | undefined =>
  bytes === 64 ? AIMS[`${kind} ${clients} ${metric}`] : undefined
