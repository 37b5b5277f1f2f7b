import { launch } from './harness/server.ts'
import { kv } from './stores/kv.ts'
import type { Contender, Served, Traffic } from './traffic.ts'

/** Before anything is measured, the compiler sees each of these at work for a second. */
const WARM: readonly Traffic[] = (['put', 'get', 'put', 'get'] as const).map((kind) => {
  return { kind, clients: 256, bytes: 64 }
})

/** Three servers of rxraft on loopback, driven by clients of rxraft/kv in a process of their own. */
export async function client(directory: string): Promise<Contender> {
  const store = await kv(3, directory)
  const members = store.clients.map((port, i) => ({ id: `s${i + 1}`, port }))
  const place = { id: 'clients', members, joins: false, directory, way: '' }
  const process = launch({ name: 'clients', script: 'clients.ts', way: '' }, place, { directory })
  const stop = async (): Promise<void> => {
    await process.stop()
    await store.stop()
  }
  const serve = async (traffic: Traffic, seconds: number): Promise<Served> =>
    (await process.call('act', 'serve', { traffic, seconds })) as Served
  const fill = async (bytes: number): Promise<void> => {
    await process.call('act', 'fill', bytes)
  }
  try {
    await store.leader()
    await process.call('start')
    await fill(64)
    for (const traffic of WARM) await serve(traffic, 1)
    return { name: 'rxraft', fill, serve, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
