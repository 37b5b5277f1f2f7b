import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../harness/ports.ts'
import { call } from './calling.ts'
import { Daemon } from './daemon.ts'
import { until } from './patience.ts'
import type { Store } from './store.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/kv/cli.js', import.meta.url))
const LOOK = { method: 'GET', path: '/status', body: '' }

interface Kv extends Store {
  /** The ports at which each server listens to clients of `rxraft/kv`. */
  readonly clients: readonly number[]
}

/** `rxraft serve`, as many times, with the settings that it has by itself. */
export async function kv(size: number, directory: string): Promise<Kv> {
  const home = mkdtempSync(join(directory, 'kv-'))
  const ids = Array.from({ length: size }, (_, i) => `s${i + 1}`)
  const ports = await freePorts(3 * size)
  const peers = ids.map((_, i) => `127.0.0.1:${ports[3 * i]}`)
  const addresses = ids.map((_, i) => `127.0.0.1:${ports[3 * i + 1]}`)
  const clients = ids.map((_, i) => ports[3 * i + 2]!)
  const members = ids.flatMap((id, i) => {
    const at = `tcp://127.0.0.1:${clients[i]}`
    return ['--member', `${id}=${peers[i]},http://${addresses[i]},${at}`]
  })
  const servers = ids.map((id, i) => {
    const args = ['serve', '--id', id, '--data', join(home, id)]
    const places = ['--listen', peers[i]!, '--http', addresses[i]!]
    const open = ['--clients', `127.0.0.1:${clients[i]}`]
    const log = join(home, `${id}.log`)
    return new Daemon(process.execPath, [PROGRAM, ...args, ...places, ...open, ...members], log)
  })
  return {
    name: 'rxraft',
    addresses,
    clients,
    put: (key, value) => ({ method: 'PUT', path: `/kv/${key}`, body: value }),
    leader: () => until('a leader that all know', () => agreed(addresses, ids)),
    kill: (server) => servers[server]!.end('SIGKILL'),
    restart: (server) => servers[server]!.restart(),
    stop: async () => {
      await Promise.all(servers.map((server) => server.end('SIGKILL')))
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** The leader, once all name the same. */
async function agreed(
  addresses: readonly string[],
  ids: readonly string[],
): Promise<number | undefined> {
  const all = await Promise.all(addresses.map((address) => call(address, LOOK)))
  const leaders = all.map(({ body }) => (JSON.parse(body) as { leader: string | null }).leader)
  const leader = ids.indexOf(leaders[0] ?? '')
  return leader >= 0 && leaders.every((it) => it === leaders[0]) ? leader : undefined
}
