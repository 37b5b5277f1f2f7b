import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cleanup } from './cleanup.ts'
import { mountDisk } from './disk.ts'
import type { Means } from './means.ts'
import { loopback, namespaces, type Site } from './network.ts'
import { Strings } from './preload.ts'
import { Server } from './server.ts'

/** `count` servers that are not started yet, with their files under `directory`. */
export async function clusterOf(
  count: number,
  directory: string,
  means: Means,
  cleanup: Cleanup,
): Promise<readonly Server[]> {
  const ids = [...'abcdefghi'.slice(0, count)]
  const sites = means.hasNamespaces ? namespaces(ids, cleanup) : await loopback(ids)
  const secret = join(directory, 'secret')
  writeFileSync(secret, randomBytes(32).toString('hex'))
  const args = [...sites.flatMap(memberOf), '--secret-file', secret]
  const servers = sites.map((site) => {
    const disk = join(directory, site.id)
    mkdirSync(disk)
    if (means.kinds.includes('fullDisk')) mountDisk(disk, cleanup)
    const strings = new Strings(directory, site.id, means.libraries)
    return new Server(site, disk, strings, args)
  })
  cleanup.defer(() => servers.forEach((server) => server.close()))
  return servers
}

const memberOf = ({ id, host, peerPort, httpPort }: Site): string[] => [
  '--member',
  `${id}=${host}:${peerPort},http://${host}:${httpPort}`,
]
