import { listeningPorts } from './ports.ts'
import type { Cleanup } from './cleanup.ts'
import { run } from './command.ts'

/** Where a server lives: one after the other, if servers come and go. */
export interface Site {
  readonly id: string
  readonly host: string
  readonly peerPort: number
  readonly httpPort: number
  /** Its network namespace; on loopback there is none. */
  readonly namespace?: string
}

/** All servers on this machine's own loopback device. */
export async function loopback(ids: readonly string[]): Promise<readonly Site[]> {
  const ports = await listeningPorts(2 * ids.length)
  return ids.map((id, i) => ({
    id,
    host: '127.0.0.1',
    peerPort: ports[2 * i]!,
    httpPort: ports[2 * i + 1]!,
  }))
}

/**
 * A network namespace for each server, joined by a bridge in a namespace of its own, to which this
 * machine has one link, for the clients. The addresses are those that RFC 2544 keeps for tests.
 *
 * ```
 * a: eth0 ──┐
 * b: eth0 ──┼── bridge ── this machine
 * c: eth0 ──┘
 * ```
 */
export function namespaces(ids: readonly string[], cleanup: Cleanup): readonly Site[] {
  const name = `rxn${process.pid}`
  const subnet = `198.18.${process.pid % 256}`
  const hub = `${name}-hub`
  addNamespace(hub, cleanup)
  run('ip', ['-n', hub, 'link', 'add', 'bridge', 'type', 'bridge'])
  run('ip', ['-n', hub, 'link', 'set', 'bridge', 'up'])

  run('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'outside', 'netns', hub])
  cleanup.defer(() => run('ip', ['link', 'del', name]))
  plug(hub, 'outside')
  run('ip', ['addr', 'add', `${subnet}.1/24`, 'dev', name])
  run('ip', ['link', 'set', name, 'up'])

  return ids.map((id, i) => {
    const namespace = `${name}-${id}`
    const host = `${subnet}.${10 + i}`
    addNamespace(namespace, cleanup)
    const eth0 = ['link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `to-${id}`, 'netns', hub]
    run('ip', ['-n', namespace, ...eth0])
    plug(hub, `to-${id}`)
    run('ip', ['-n', namespace, 'addr', 'add', `${host}/24`, 'dev', 'eth0'])
    run('ip', ['-n', namespace, 'link', 'set', 'eth0', 'up'])
    return { id, host, peerPort: 7001, httpPort: 8001, namespace }
  })
}

function addNamespace(name: string, cleanup: Cleanup): void {
  run('ip', ['netns', 'add', name])
  cleanup.defer(() => run('ip', ['netns', 'del', name]))
  run('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
}

function plug(hub: string, link: string): void {
  run('ip', ['-n', hub, 'link', 'set', link, 'master', 'bridge'])
  run('ip', ['-n', hub, 'link', 'set', link, 'up'])
}

/** Has a command run in a server's namespace. */
export function inside({ namespace }: Site, command: readonly string[]): readonly string[] {
  return namespace === undefined
    ? command
    : ['nsenter', `--net=/run/netns/${namespace}`, ...command]
}
