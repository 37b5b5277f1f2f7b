import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../harness/ports.ts'
import { call } from './calling.ts'
import { Daemon } from './daemon.ts'
import { until } from './patience.ts'
import type { Store } from './store.ts'

/** Why etcd cannot be measured here; `undefined` where it can. */
export function etcdIsMissing(): string | undefined {
  const { error, status } = spawnSync('etcd', ['--version'])
  if (error === undefined && status === 0) return undefined
  return 'etcd is not installed (Debian: etcd-server): it is left out'
}

const LOOK = { method: 'POST', path: '/v3/maintenance/status', body: '{}' }

/** Three servers of etcd on loopback, with the settings that it has by itself. */
export async function etcd(directory: string): Promise<Store> {
  const home = mkdtempSync(join(directory, 'etcd-'))
  const names = ['s1', 's2', 's3']
  const ports = await freePorts(2 * names.length)
  const peers = names.map((_, i) => `http://127.0.0.1:${ports[2 * i]}`)
  const addresses = names.map((_, i) => `127.0.0.1:${ports[2 * i + 1]}`)
  const cluster = names.map((name, i) => `${name}=${peers[i]}`).join()
  const servers = names.map((name, i) => {
    const client = `http://${addresses[i]}`
    const args = [
      ...['--name', name, '--data-dir', join(home, name), '--log-level', 'error'],
      ...['--listen-peer-urls', peers[i]!, '--initial-advertise-peer-urls', peers[i]!],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--initial-cluster', cluster, '--initial-cluster-state', 'new', '--logger', 'zap'],
      // With its own, of 2 GB, it would refuse to write after some minutes.
      `--quota-backend-bytes=${8 * 2 ** 30}`,
    ]
    return new Daemon('etcd', args, join(home, `${name}.log`))
  })
  return {
    name: 'etcd',
    addresses,
    put: (key, value) => {
      const body = JSON.stringify({ key: btoa(key), value: btoa(value) })
      return { method: 'POST', path: '/v3/kv/put', body }
    },
    leader: () => until("etcd's leader", () => agreed(addresses)),
    kill: (server) => servers[server]!.end('SIGKILL'),
    restart: (server) => servers[server]!.restart(),
    stop: async () => {
      await Promise.all(servers.map((server) => server.end('SIGKILL')))
      rmSync(home, { recursive: true, force: true })
    },
  }
}

interface Status {
  readonly header: { readonly member_id: string }
  readonly leader?: string
}

/** The leader, once all name the same. */
async function agreed(addresses: readonly string[]): Promise<number | undefined> {
  const all = await Promise.all(addresses.map((address) => call(address, LOOK)))
  const found = all.map(({ body }) => JSON.parse(body) as Status)
  const leader = found.findIndex(({ header }) => header.member_id === found[0]!.leader)
  const isAgreed = found.every((status) => status.leader === found[0]!.leader)
  return isAgreed && leader >= 0 ? leader : undefined
}
