/**
 * What a durable commit cannot do without: one write with its fdatasync and one round trip over loopback to another
 * process, one after the other, one command at a time.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Disk } from './ceiling/disk.ts'
import { reach } from './ceiling/reach.ts'
import { drive, type Settle } from './harness/load.ts'
import { work, type Member, type Place } from './harness/worker.ts'

async function start({ id, members, directory }: Place): Promise<Member> {
  const { port } = members.find((member) => member.id === id)!
  if (id !== members[0]!.id) {
    const server = createServer({ noDelay: true }, (socket) => socket.pipe(socket))
    await once(server.listen(port, '127.0.0.1'), 'listening')
    return { leads: false }
  }
  const disk = new Disk(join(directory, `${id}.log`), false)
  const echo = await reach(members[1]!.port)
  const submit = (command: Uint8Array, settle: Settle): void =>
    disk.write([command], () => {
      echo.once('data', () => settle.applied())
      echo.write(command)
    })
  return { leads: true, drive: (load, meter) => drive(submit, load, meter) }
}

work(start)
