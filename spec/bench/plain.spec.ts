import { bytes, type RaftOptions } from 'rxraft'
import { memory } from 'rxraft/storage/memory'
import { network } from 'rxraft/transport/memory'
import { afterEach, expect, it, vi } from 'vitest'
import { sum } from '../../bench/machine.ts'
import { noop, type Batch } from '../../lib/batch.ts'
import type { Event } from '../../lib/events.ts'
import type { AppliedBatch } from '../../lib/turn.ts'
import { Alarm } from '../../bench/plain/alarm.ts'
import { Applier } from '../../bench/plain/applier.ts'
import { PlainNode } from '../../bench/plain/node.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** Three servers with hand-written loops, on a network in memory. */
function cluster(): PlainNode<number, number>[] {
  const net = network()
  const members = ['a', 'b', 'c']
  return members.map((id): PlainNode<number, number> => {
    const adapters = { storage: memory(), transport: net.join(id) }
    const timing = { electionTimeout: [20, 40], heartbeat: 5, snapshotEntries: 50 } as const
    const options: RaftOptions<number, Uint8Array, number> = {
      ...{ id, members, machine: sum, codec: bytes, ...adapters, ...timing },
    }
    return new PlainNode(options, (error) => {
      throw error
    })
  })
}

it('a loop written by hand elects a leader and commits in order, through snapshots', async () => {
  const nodes = cluster()
  for (const node of nodes) node.connect()
  await vi.waitFor(() => expect(nodes[0]!.leader).toBeDefined())
  const leader = nodes['abc'.indexOf(nodes[0]!.leader!)]!
  const results: number[] = []
  for (let i = 0; i < 200; i++) {
    const command = Uint8Array.of(0, 0, 0, 0, 1)
    results.push(
      await new Promise<number>((applied, failed) => leader.submit(command, { applied, failed })),
    )
  }
  expect(results).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
  expect(leader.state.snapshot?.index).toBeGreaterThanOrEqual(100)
  for (const node of nodes) node.stop()
})

it('an alarm rings once, when the last deadline that was set has passed', () => {
  vi.useFakeTimers()
  const rung: number[] = []
  const alarm = new Alarm((at) => rung.push(at))
  const start = performance.now()
  alarm.set(start + 10)
  alarm.set(start + 30)
  vi.advanceTimersByTime(20)
  expect(rung).toEqual([])
  alarm.set(start + 25)
  vi.advanceTimersByTime(100)
  expect(rung).toEqual([start + 25])
  alarm.set(undefined)
  vi.advanceTimersByTime(100)
  expect(rung).toHaveLength(1)
})

it('what takes long is applied in slices, in its order and once', () => {
  vi.useFakeTimers()
  const applied: number[] = []
  const raised: Event[] = []
  let now = 0
  const slow = (batch: Batch): AppliedBatch => {
    applied.push(batch.index)
    now += 20
    return { batch, outcomes: [] }
  }
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  const applier = new Applier(slow, (event) => raised.push(event))
  applier.take([1, 2, 3, 4].map((index) => noop(index, 1)))
  expect(applied).toEqual([1])
  vi.advanceTimersByTime(10)
  expect(applied).toEqual([1, 2, 3, 4])
  expect(raised.map((event) => 'index' in event && event.index)).toEqual([1, 2, 3, 4])
})
