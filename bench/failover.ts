import { setTimeout as sleep } from 'node:timers/promises'
import { list } from './list.ts'
import { figure } from './report.ts'
import { call } from './stores/calling.ts'
import { etcd, etcdIsMissing } from './stores/etcd.ts'
import { kv } from './stores/kv.ts'
import type { Store } from './stores/store.ts'
import type { Suite } from './suite.ts'

const TIMES = 20
const QUICK_TIMES = 3

/** A write is tried on every server that is left so often, in ms: how exact the result is. */
const EVERY = 5

/** So long, in ms, a cluster that is whole again is left alone. */
const REST = 500

/** The most that is aimed at, of what etcd takes. */
const TARGET = 0.3

export const failover: Suite = {
  name: 'failover',
  about:
    'kill -9 of the leader to the next write that is acknowledged, with the settings that each has by itself',
  run: async ({ isQuick }, { directory }, print) => {
    const missing = etcdIsMissing()
    if (missing !== undefined) print(missing)
    const stores: Store[] = [await kv(3, directory)]
    try {
      if (missing === undefined) stores.push(await etcd(directory))
      const took: number[][] = stores.map(() => [])
      for (let time = 0; time < (isQuick ? QUICK_TIMES : TIMES); time++) {
        for (const [i, store] of stores.entries()) took[i]!.push(await failOver(store, time))
      }
      const [ours, theirs] = took
      const measured = { suite: 'failover', metric: 'outage', unit: 'ms' }
      const beside = theirs && {
        yardstick: { name: 'etcd', values: theirs },
        aim: { atMost: TARGET },
      }
      const found = [figure({ ...measured, case: 'rxraft', values: ours!, ...beside })]
      if (theirs) found.push(figure({ ...measured, case: 'etcd', values: theirs }))
      print(list(found))
      return found
    } finally {
      for (const store of stores) await store.stop()
    }
  },
}

/** How long nothing was acknowledged, in ms. The server is back afterwards. */
async function failOver(store: Store, time: number): Promise<number> {
  const leader = await store.leader()
  await sleep(REST)
  await call(store.addresses[leader]!, store.put(`before-${time}`, 'x'))
  const began = performance.now()
  const killed = store.kill(leader)
  const others = store.addresses.filter((_, i) => i !== leader)
  const ended = await nextWrite(store, others, time)
  await killed
  store.restart(leader)
  return ended - began
}

/** When the first write is acknowledged that was begun from now on. */
export async function nextWrite(
  { put }: Pick<Store, 'put'>,
  addresses: readonly string[],
  time: number,
): Promise<number> {
  let ended: number | undefined
  for (let i = 0; ended === undefined; i++) {
    for (const address of addresses) {
      call(address, put(`after-${time}-${i}`, 'x')).then(
        ({ status }) => {
          if (status === 200) ended ??= performance.now()
        },
        () => undefined,
      )
    }
    await sleep(EVERY)
  }
  return ended
}
