import { concatMap, merge, mergeMap, NEVER, of, pipe, timer, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { memory } from '../../adapters/storage/memory.ts'
import { latency, network } from '../../adapters/transport/memory.ts'
import type { DiskRequest } from '../../lib/storage.ts'
import type { NodeId } from '../../lib/types.ts'
import { raft } from '../../operators/engine/raft.ts'
import type { Storage, Transport } from '../../operators/adapters.ts'

interface Parts {
  readonly storage?: Storage
  readonly transport?: Transport
}

/** Three servers in virtual time, `a` the least patient, of which `a` has these parts. */
function three(scheduler: VirtualTimeScheduler, parts: (mine: Transport) => Parts) {
  const members = ['a', 'b', 'c']
  const net = network({ scheduler, link: () => latency(1, scheduler) })
  const patience: Readonly<Record<NodeId, number>> = { a: 0, b: 0.5, c: 0.9 }
  return members.map((id) => {
    const transport = net.join(id)
    return raft({
      id,
      members,
      machine: { initial: 0, apply: (sum: number, by: number) => [sum + by, sum + by] as const },
      storage: memory(),
      transport,
      electionTimeout: [6, 12],
      heartbeat: 3,
      random: () => patience[id]!,
      scheduler,
      turns: scheduler,
      ...(id === 'a' ? parts(transport) : {}),
    })
  })
}

/** Runs until `end`, proposes 5 to `a` at 30, and tells what that came to and how `a` ended. */
function story(parts: (scheduler: VirtualTimeScheduler, mine: Transport) => Parts) {
  const scheduler = new VirtualTimeScheduler()
  const nodes = three(scheduler, (mine) => parts(scheduler, mine))
  const [a] = nodes
  const said: unknown[] = []
  let isOver = false
  a!.status$.subscribe({ complete: () => (isOver = true) })
  const connections = nodes.map((node) => node.connect())
  timer(30, scheduler).subscribe(() => {
    a!.submit(5, {
      applied: (sum) => said.push(sum),
      failed: (error) => said.push(error.constructor.name),
    })
  })
  let before: unknown[] = []
  timer(80, scheduler).subscribe(() => {
    before = [...said]
    for (const connection of connections) connection.unsubscribe()
  })
  scheduler.flush()
  return { before, after: said, isOver, ended: scheduler.now() }
}

/** What goes to `c` is taken and never sent, one after the other as a socket would. */
const hungTowardsC =
  (mine: Transport): Transport =>
  (outbound) =>
    merge(
      outbound.pipe(mergeMap((envelope) => (envelope.to === 'c' ? [] : [envelope]))),
      outbound.pipe(
        mergeMap((envelope) => (envelope.to === 'c' ? [envelope] : [])),
        concatMap(() => NEVER),
      ),
    ).pipe(mine)

describe('something that never ends', () => {
  it('a send to one peer: the others commit, and stopping stops [bug 51]', () => {
    const { before, isOver } = story((_, mine) => ({ transport: hungTowardsC(mine) }))
    expect([before, isOver]).toEqual([[5], true])
  })

  it('every send: proposals are refused, and stopping stops [bug 51]', () => {
    const { after, isOver } = story(() => ({ transport: () => NEVER }))
    expect([after, isOver]).toEqual([['NotLeader'], true])
  })

  it('every write from a moment on: the others commit without it, and stopping stops [bug 51]', () => {
    const hung = (scheduler: VirtualTimeScheduler): Storage =>
      pipe(
        concatMap((save: DiskRequest) => (scheduler.now() < 30 ? of(save) : NEVER)),
        memory(),
      )
    const { before, isOver } = story((scheduler) => ({ storage: hung(scheduler) }))
    expect([before, isOver]).toEqual([[5], true])
  })

  it('the opening of the disk: nothing is believed, proposals are refused, and stopping stops [bug 51]', () => {
    const { after, isOver, ended } = story(() => ({ storage: () => NEVER }))
    expect([after, isOver]).toEqual([['NotLeader'], true])
    expect(ended).toBeLessThan(200)
  })
})
