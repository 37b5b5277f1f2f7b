import { firstValueFrom, map, take, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { Compacted } from '../../../lib/errors.ts'
import type { Client } from '../../../adapters/client.ts'
import { clientOf, eventually, Sites, Wire } from './bench.ts'

type Counter = Client<number, string, string, number>

/** Everything that was committed from an index on, as it comes. */
function watching(client: Counter, from = 1) {
  const seen: number[] = []
  const indexes: number[] = []
  const state: { error?: unknown; isOver: boolean } = { isOver: false }
  const subscription = client.commits(from).subscribe({
    next: ({ index, command }) => {
      seen.push(command)
      indexes.push(index)
    },
    error: (error: unknown) => (state.error = error),
    complete: () => (state.isOver = true),
  })
  return { seen, indexes, state, subscription }
}

const proposeAll = async (client: Counter, commands: readonly number[]) => {
  for (const command of commands) await firstValueFrom(client.propose(command))
}

describe('a watch', () => {
  it('has the past, then what comes', async () => {
    const client = (await Sites.open('a')).client()
    await proposeAll(client, [1, 2, 3])
    const past$ = client.commits(1).pipe(
      map(({ command }) => command),
      take(3),
      toArray(),
    )
    expect(await firstValueFrom(past$)).toEqual([1, 2, 3])
    const { seen } = watching(client)
    await eventually(() => seen.length === 3 || undefined)
    await proposeAll(client, [4, 5])
    await eventually(() => seen.length === 5 || undefined)
    expect(seen).toEqual([1, 2, 3, 4, 5])
  })

  it('goes on without a gap, nor anything twice, when its connection is lost again and again', async () => {
    const machine = { initial: 0, apply: (n: number) => [n + 1, 'written'] as const }
    const sites = await Sites.open('a', {}, { machine })
    const wire = await Wire.to(sites.addresses[0]!)
    const writer = sites.client()
    wire.cutAfter = 100_001
    const { seen } = watching(clientOf({ servers: [wire.address], backoff: [1, 5] }))
    const commands = Array.from({ length: 500 }, (_, i) => `${i} ${'x'.repeat(1000)}` as never)
    await Promise.all(commands.map((it) => firstValueFrom(writer.propose(it))))
    await eventually(() => seen.length >= commands.length || undefined)
    expect(seen).toEqual(commands)
    expect(wire.connections).toBeGreaterThan(5)
  })

  it('goes on at another server when its own is gone', async () => {
    const sites = await Sites.open()
    const client = sites.client()
    const { seen, state } = watching(client)
    await proposeAll(client, [1, 2])
    await eventually(() => seen.length === 2 || undefined)
    ;(await sites.leader()).stop()
    await proposeAll(client, [3, 4])
    await eventually(() => seen.length === 4 || undefined)
    expect(seen).toEqual([1, 2, 3, 4])
    client.close()
    expect(state).toEqual({ isOver: true })
  })

  it('errors when the log no longer reaches back so far', async () => {
    const sites = await Sites.open('a', {}, { snapshotTailBytes: 0 })
    const client = sites.client()
    await proposeAll(client, [1, 2, 3])
    await firstValueFrom(sites.all[0]!.node.snapshot())
    const compacted = await eventually(() => {
      const { state } = watching(client)
      return eventually(() => state.error as Error | undefined)
    })
    expect(compacted).toBeInstanceOf(Compacted)
  })

  it('ends at the server, too, when nobody wants it any more', async () => {
    const sites = await Sites.open('a')
    const client = sites.client()
    const { seen, subscription } = watching(client)
    await proposeAll(client, [1])
    await eventually(() => seen.length === 1 || undefined)
    const other = watching(client)
    await eventually(() => other.seen.length === 1 || undefined)
    subscription.unsubscribe()
    await proposeAll(client, [2])
    await eventually(() => other.seen.length === 2 || undefined)
    expect(seen).toEqual([1])
  })

  it('that nobody offers is refused', async () => {
    const client = (await Sites.open('a')).client()
    await expect(firstValueFrom(client.watch('anything'))).rejects.toMatchObject({
      ...{ code: 'rejected', reason: 'this server has nothing to watch' },
    })
  })
})
