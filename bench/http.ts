import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Meter, type Measured } from './harness/meter.ts'
import { list } from './list.ts'
import { published } from './published.ts'
import { figure, type Result } from './report.ts'
import { call } from './stores/calling.ts'
import { kv } from './stores/kv.ts'
import type { Store } from './stores/store.ts'
import type { Suite } from './suite.ts'

const CLIENTS = [1, 10, 50, 100, 150, 200]

const VALUE = 'x'.repeat(64)

/** So many times what fluree/raft publishes for three servers and the most clients. */
const TARGET = 15

/** Seconds. In less, answers come in too few waves to be counted. */
const SHORTEST = 1

export const http: Suite = {
  name: 'http',
  about:
    'puts of 64 B over the HTTP API, each client with one on its way over a connection of its own',
  run: async ({ isQuick, runs, seconds, warmup, servers }, { directory }, print) => {
    const found: Result[] = []
    for (const size of servers) {
      const store = await kv(size, directory)
      try {
        const leader = store.addresses[await store.leader()]!
        await load(store, leader, 50, warmup)
        const cases = (isQuick ? [1, 200] : CLIENTS).map((clients) => ({ clients, all: none() }))
        for (let run = 0; run < runs; run++) {
          for (const { clients, all } of cases) {
            all.push(await load(store, leader, clients, Math.max(seconds, SHORTEST)))
          }
        }
        const figures = cases.flatMap(({ clients, all }) => report(size, clients, all))
        print(list(figures))
        found.push(...figures)
      } finally {
        await store.stop()
      }
    }
    return found
  },
}

const none = (): Measured[] => []

function report(size: number, clients: number, all: readonly Measured[]): Result[] {
  const named = { suite: 'http', case: `${size} servers, ${clients} clients` }
  const rates = all.map(({ rate }) => rate)
  const theirs = published[size]?.[clients]
  const yardstick = theirs && {
    yardstick: { name: 'fluree/raft as published', values: all.map(() => theirs) },
  }
  const aim = size === 3 && clients === 200 ? { atLeast: TARGET } : undefined
  return [
    figure({ ...named, metric: 'throughput', unit: 'ops/s', values: rates, ...yardstick, aim }),
    figure({ ...named, metric: 'p50', unit: 'ms', values: all.map(({ p50 }) => p50) }),
    figure({ ...named, metric: 'p99', unit: 'ms', values: all.map(({ p99 }) => p99) }),
    figure({ ...named, metric: 'cpu clients', unit: 'cores', values: all.map(({ cpu }) => cpu) }),
  ]
}

/** So many clients at the leader's, each of them putting a key of its own again and again. */
async function load(
  store: Store,
  address: string,
  clients: number,
  seconds: number,
): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const meter = new Meter()
  const client = async (i: number): Promise<void> => {
    const put = store.put(`key-${i}`, VALUE)
    while (meter.isOn) {
      const began = performance.now()
      const { status } = await call(address, put, agent)
      if (status !== 200) throw new Error(`a put was answered with status ${status}`)
      meter.sample(performance.now() - began)
      meter.count++
    }
  }
  const all = Promise.all(Array.from({ length: clients }, (_, i) => client(i)))
  await Promise.race([all, sleep(SETTLE_MS)])
  meter.begin()
  await Promise.race([all, sleep(seconds * 1000)])
  const measured = meter.end()
  meter.stop()
  await all
  agent.destroy()
  return measured
}

/** Until all are connected, and the load runs evenly. */
const SETTLE_MS = 300
