/** A server on its own, with a log that no snapshot shortens. */
import { firstValueFrom, lastValueFrom, retry } from 'rxjs'
import { bytes, raft, type RaftNode } from 'rxraft'
import { file } from 'rxraft/storage/file'
import { join } from 'node:path'
import { commands } from './harness/load.ts'
import { work, type Member, type Place } from './harness/worker.ts'
import { sum } from './machine.ts'
import { leads } from './node.ts'

const AT_ONCE = 10_000

const open = ({ id, directory }: Place): RaftNode<Uint8Array, number> => {
  const storage = file(join(directory, id))
  const endless = { snapshotEntries: 2 ** 40, snapshotBytes: 2 ** 40 }
  return raft({ id, machine: sum, codec: bytes, storage, ...endless })
}

function start(place: Place): Promise<Member> {
  return Promise.resolve({
    leads: true,
    acts: {
      fill: (entries) => fill(open(place), entries as number),
      ready: (entries) => ready(open(place), entries as number),
    },
  })
}

async function fill(node: RaftNode<Uint8Array, number>, entries: number): Promise<void> {
  const running = node.connect()
  await leads(node)
  await lastValueFrom(node.propose(commands(1)[0]!))
  const round = commands(AT_ONCE)
  for (let done = 0; done < entries; done += AT_ONCE) {
    await new Promise<void>((settled, failed) => {
      let left = AT_ONCE
      const applied = (): void => {
        if (--left === 0) settled()
      }
      for (const command of round) node.submit(command, { applied, failed })
    })
  }
  running.unsubscribe()
}

/** Seconds from opening the log to a command that is applied behind all that was in it. */
async function ready(node: RaftNode<Uint8Array, number>, entries: number): Promise<number> {
  const began = performance.now()
  const running = node.connect()
  await leads(node)
  // The whole log waits to be committed at first, and is more than may wait.
  await lastValueFrom(node.propose(commands(1)[0]!).pipe(retry({ delay: 1 })))
  const seconds = (performance.now() - began) / 1000
  const { appliedIndex } = await firstValueFrom(node.status$)
  running.unsubscribe()
  if (appliedIndex > entries) return seconds
  throw new Error(`only ${appliedIndex} entries were there`)
}

work(start)
