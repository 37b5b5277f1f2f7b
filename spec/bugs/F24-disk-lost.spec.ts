import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firstValueFrom, lastValueFrom, retry, type Subscription } from 'rxjs'
import { filter } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { file, inspect, refound } from '../../adapters/storage/file.ts'
import { network } from '../../adapters/transport/memory.ts'
import { DiskLost } from '../../lib/errors.ts'
import { raft } from '../../operators/engine/raft.ts'

const codec = {
  encode: (text: string) => Buffer.from(text),
  decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
}
const machine = {
  initial: 0,
  apply: (count: number, _: string) => [count + 1, count + 1] as const,
}

/** Servers with real files on a network in memory. */
class Servers {
  readonly root = mkdtempSync(join(tmpdir(), 'rxraft-lost-'))
  readonly #net = network()
  readonly #running = new Map<string, Subscription>()

  directory(id: string): string {
    return join(this.root, id)
  }

  start(id: string, members: readonly string[], cluster = 'shop') {
    const storage = file(this.directory(id), {
      cluster,
      segmentSize: 16 << 10,
      unsafeNoFsync: true,
    })
    const timing = { electionTimeout: [300, 600] as const, heartbeat: 50 }
    const node = raft({
      ...{ id, members, codec, machine, storage, transport: this.#net.join(id), ...timing },
    })
    // Whoever has nothing to say to an error hears of it elsewhere.
    const failure = lastValueFrom(node.status$).then(
      () => undefined,
      (error: unknown) => error,
    )
    this.#running.set(id, node.connect())
    return { node, failure }
  }

  stop(id: string): void {
    this.#running.get(id)!.unsubscribe()
    this.#running.delete(id)
  }

  close(): void {
    for (const running of this.#running.values()) running.unsubscribe()
    rmSync(this.root, { recursive: true, force: true })
  }
}

type Node = ReturnType<Servers['start']>['node']

const put = (node: Node, text: string) =>
  lastValueFrom(node.propose(text, { timeout: 20_000 }).pipe(retry({ delay: 50, count: 200 })))

const whenLeads = (node: Node) =>
  firstValueFrom(
    node.status$.pipe(filter(({ role, commitIndex }) => role === 'leader' && commitIndex > 0)),
  )

const whenApplied = (node: Node, index: number) =>
  firstValueFrom(node.status$.pipe(filter(({ appliedIndex }) => appliedIndex >= index)))

const copy = (from: string, to: string): void =>
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('/lock') })

describe('a server with real files', { timeout: 60_000 }, () => {
  let servers: Servers

  beforeEach(() => {
    servers = new Servers()
  })
  afterEach(() => servers.close())

  /** a leads; c has acknowledged something, its directory was copied, and then it has acknowledged more. */
  async function copied() {
    const ids = ['a', 'b', 'c']
    const nodes = ids.map((id) => servers.start(id, ids).node)
    const leader = await Promise.any(nodes.map((node) => whenLeads(node).then(() => node)))
    const follower = nodes.find((node) => node !== leader)!
    const { id } = follower
    const write = async (texts: string): Promise<void> => {
      for (const text of texts) await put(leader, text)
    }
    await write('12345')
    await whenApplied(follower, 6)
    servers.stop(id)
    // Its directory is free once it can be opened again, which the next start waits for.
    const path = servers.directory(id)
    const again = servers.start(id, ids)
    await whenApplied(again.node, 6)
    copy(path, `${path}.old`)
    await write('6789')
    await whenApplied(again.node, 10)
    // Its last acknowledgement reaches the leader before its next pulse.
    await firstValueFrom(again.node.status$.pipe(filter(({ commitIndex }) => commitIndex >= 10)))
    servers.stop(id)
    return { id, ids, path, write }
  }

  it('that is given an old copy of its directory stops with the remedy, and the others go on [F24]', async () => {
    const { id, ids, path, write } = await copied()
    rmSync(path, { recursive: true })
    copy(`${path}.old`, path)
    const { failure } = servers.start(id, ids)
    const error = await failure
    expect(error).toBeInstanceOf(DiskLost)
    expect(error).toMatchObject({ code: 'disk-lost', id })
    expect((error as DiskLost).index).toBeGreaterThan((error as DiskLost).lastIndex)
    await write('more')
  })

  it('whose directory was emptied stops likewise [F23]', async () => {
    const { id, ids, path, write } = await copied()
    rmSync(path, { recursive: true })
    const error = await servers.start(id, ids).failure
    expect(error).toMatchObject({ code: 'disk-lost', id, lastIndex: 0 })
    await write('more')
  })

  it('that was passive has what had reached it, loses the rest, and leads alone when it is told to [F25]', async () => {
    const { node: a } = servers.start('a', ['a'])
    await whenLeads(a)
    const { node: b } = servers.start('b', [])
    await lastValueFrom(a.change({ learners: ['b'] }))
    for (const text of '12345') await put(a, text)
    const { commitIndex } = await firstValueFrom(a.status$)
    await whenApplied(b, commitIndex)
    // What it follows with is on its disk a little later.
    const isOnDisk = async () =>
      ((await inspect(servers.directory('b'))).entries?.last ?? 0) >= commitIndex
    await vi.waitUntil(isOnDisk, { timeout: 20_000 })
    servers.stop('b')
    // The passive one is away, and the active one goes on acknowledging: this is what may be lost.
    for (const text of '678') await put(a, text)
    servers.stop('a')

    const told = await retrying(() =>
      refound(servers.directory('b'), { cluster: 'shop-2', id: 'b' }),
    )
    expect(told.from).toBe('shop')
    const { node } = servers.start('b', [], 'shop-2')
    await whenLeads(node)
    await whenApplied(node, told.index)
    // Eight were acknowledged; five had reached it.
    expect(await put(node, 'new')).toMatchObject({ result: 6 })
  })
})

/** The directory is given up a moment after its server has stopped. */
async function retrying<T>(act: () => Promise<T>): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      return await act()
    } catch (error) {
      if ((error as { code?: string }).code !== 'directory-locked' || i > 500) throw error
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
