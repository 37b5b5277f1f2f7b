/** Programs outside of the cluster: many that ask rxraft/kv in one process, over its connection to the leader. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type StoreClient } from 'rxraft/kv'
import { fail } from './harness/load.ts'
import { Meter } from './harness/meter.ts'
import { work, type Member, type Place } from './harness/worker.ts'
import { isPut, KEYS, keyOf, type Served, type Traffic } from './traffic.ts'

/** Until a new load runs evenly, in ms. */
const SETTLE = 300

function start({ members }: Place): Promise<Member> {
  const servers = members.map(({ port }) => `127.0.0.1:${port}`)
  return Promise.resolve({
    leads: true,
    acts: {
      fill: (bytes) => fill(servers, bytes as number),
      serve: (given) => {
        const { traffic, seconds } = given as { traffic: Traffic; seconds: number }
        return serve(servers, traffic, seconds)
      },
    },
  })
}

async function fill(servers: readonly string[], bytes: number): Promise<void> {
  const store = connect({ servers })
  const value = new Uint8Array(bytes).fill(120)
  const puts = Array.from({ length: KEYS }, (_, i) => i).map(
    (i) =>
      new Promise<void>((complete, error) =>
        store.put(keyOf(i), value).subscribe({ complete, error }),
      ),
  )
  await Promise.all(puts)
  store.close()
}

async function serve(
  servers: readonly string[],
  traffic: Traffic,
  seconds: number,
): Promise<Served> {
  const { clients } = traffic
  // One is enough for a program: others beside it take more than they bring.
  const store = connect({ servers })
  const meter = new Meter()
  const value = new Uint8Array(traffic.bytes).fill(120)
  const all = Array.from({ length: clients }, (_, i) => drive(store, i, traffic, value, meter))
  await sleep(SETTLE)
  meter.begin()
  await sleep(seconds * 1000)
  const { rate, p50, p99, p999, max } = meter.end()
  meter.stop()
  await Promise.all(all)
  store.close()
  return { rate, p50, p99, p999, max }
}

/** One request after the other, as long as the meter is on. */
function drive(
  store: StoreClient,
  client: number,
  traffic: Traffic,
  value: Uint8Array,
  meter: Meter,
): Promise<void> {
  return new Promise((done) => {
    let turn = client
    let began = 0
    const complete = (): void => {
      const now = performance.now()
      meter.sample(now - began)
      meter.count++
      if (meter.isOn) next(now)
      else done()
    }
    const next = (now: number): void => {
      began = now
      const key = keyOf(Math.floor(Math.random() * KEYS))
      if (isPut(traffic, turn++)) store.put(key, value).subscribe({ complete, error: fail })
      else store.get(key).subscribe({ complete, error: fail })
    }
    next(performance.now())
  })
}

work(start)
