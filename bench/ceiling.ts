/**
 * The yardstick: what three processes can do on this machine with no protocol at all. The first
 * takes commands in, two follow it; there are no elections, no terms, no recovery.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Disk } from './ceiling/disk.ts'
import { follow } from './ceiling/follower.ts'
import { Leader } from './ceiling/leader.ts'
import { reach } from './ceiling/reach.ts'
import { drive } from './harness/load.ts'
import { work, type Member, type Place } from './harness/worker.ts'

async function start({ id, members, directory, way }: Place): Promise<Member> {
  const disk = new Disk(join(directory, `${id}.log`), way === 'blocking')
  const { port } = members.find((member) => member.id === id)!
  if (id !== members[0]!.id) {
    const server = createServer({ noDelay: true }, (socket) => follow(disk, socket))
    await once(server.listen(port, '127.0.0.1'), 'listening')
    return { leads: false }
  }
  const sockets = await Promise.all(members.slice(1).map((member) => reach(member.port)))
  const leader = new Leader(disk, sockets as [Socket, Socket])
  return {
    leads: true,
    drive: (load, meter) => drive((command, settle) => leader.submit(command, settle), load, meter),
  }
}

work(start)
