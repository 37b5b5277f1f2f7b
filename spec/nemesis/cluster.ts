import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seeded } from '../../testing/seeded.ts'
import type { Cleanup } from './cleanup.ts'
import { mountDisk } from './disk.ts'
import { Fleet, type Build } from './fleet.ts'
import type { Means } from './means.ts'
import type { Memberships } from './memberships.ts'
import { loopback, namespaces, type Site } from './network.ts'
import { Strings } from './preload.ts'
import { placesOf } from './schedule.ts'
import { Server } from './server.ts'

/**
 * So short a log that snapshots are taken all the time, and that whoever comes late is sent one; and in such
 * small files that a full disk is soon felt.
 */
const LIMITS = ['--snapshot-entries', '400', '--snapshot-tail', '8192', '--segment', '262144']

/** `count` servers that are not started yet, and room for others, with their files under `directory`. */
export async function fleetOf(
  count: number,
  directory: string,
  means: Means,
  memberships: Memberships,
  cleanup: Cleanup,
  seed: number,
): Promise<Fleet> {
  const names = [...'abcdefghi'.slice(0, placesOf(count))]
  const sites = means.hasNamespaces ? namespaces(names, cleanup) : await loopback(names)
  const random = seeded(seed + count)
  // In every other cluster one of the founders keeps no data.
  const witness = random() < 0.5 ? undefined : Math.floor(random() * count)
  const build = builder(directory, sites, means, cleanup, random)
  const [homes, spare] = [sites.slice(0, count), sites.slice(count)]
  const members = homes.flatMap((site, i) => memberOf(site, i === witness))
  const founders = homes.map((site, i) => build(site, site.id, members, i === witness))
  return new Fleet(build, founders, spare, memberships, count, cleanup)
}

function builder(
  directory: string,
  sites: readonly Site[],
  means: Means,
  cleanup: Cleanup,
  random: () => number,
): Build {
  const secret = join(directory, 'secret')
  writeFileSync(secret, randomBytes(32).toString('hex'))
  const homes = new Map<Site, { readonly disk: string; readonly strings: Strings }>()
  for (const site of sites) {
    const disk = join(directory, site.id)
    mkdirSync(disk)
    if (means.kinds.includes('fullDisk')) mountDisk(disk, cleanup)
    homes.set(site, { disk, strings: new Strings(directory, site.id, means.libraries) })
  }
  return (site, id, args, isWitness) => {
    const { disk, strings } = homes.get(site)!
    // Some pass writes on to the leader, the others redirect to it.
    const forwarding = random() < 0.5 ? ['--forward'] : []
    const all = [...args, ...LIMITS, ...forwarding, '--secret-file', secret]
    const server = new Server(id, site, disk, strings, all, isWitness)
    // A disk that is full before it has any directory of the server's is another matter.
    mkdirSync(server.data)
    return server
  }
}

const memberOf = ({ id, host, peerPort, httpPort }: Site, isWitness: boolean): string[] => [
  '--member',
  `${id}=${host}:${peerPort},http://${host}:${httpPort}${isWitness ? ',witness' : ''}`,
]
