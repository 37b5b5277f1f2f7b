import {
  filter,
  firstValueFrom,
  interval,
  map,
  race,
  switchMap,
  take,
  takeUntil,
  timer,
  toArray,
} from 'rxjs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { file } from '../../adapters/storage/file.ts'
import { tcp } from '../../adapters/transport/tcp.ts'
import { raft } from '../../operators/engine/raft.ts'
import { temporaryDirectories } from '../adapters/storage/directories.ts'
import { freeAddresses } from '../adapters/transport/station.ts'

const directory = temporaryDirectories()
const HOUR = 3_600_000
const endings: (() => void)[] = []

afterEach(() => {
  for (const end of endings.splice(0)) end()
  vi.restoreAllMocks()
})

/** From now on the wall clock is hours ahead, then behind, and so on, each time that it is asked. */
function jumpingClock(): { readonly asked: () => number } {
  const now = Date.now.bind(Date)
  let asked = 0
  vi.spyOn(Date, 'now').mockImplementation(() => now() + (++asked % 2 === 0 ? HOUR : -HOUR) * asked)
  return { asked: () => asked }
}

/** Three servers on sockets and files, with a leader. */
async function three() {
  const members = ['a', 'b', 'c']
  const peers = await freeAddresses(members)
  const nodes = members.map((id) =>
    raft({
      id,
      members,
      machine: { initial: 0, apply: (sum: number, by: number) => [sum + by, sum + by] as const },
      storage: file(directory(), { segmentSize: 1 << 16 }),
      transport: tcp({ id, cluster: 'spec', listen: peers[id]!, peers }),
      electionTimeout: [300, 600],
      heartbeat: 30,
    }),
  )
  for (const node of nodes) {
    const running = node.connect()
    endings.push(() => running.unsubscribe())
  }
  return nodes
}

describe('a wall clock that jumps by hours', () => {
  it('changes nothing: no timeout rings early or late, nobody loses the lead [F26]', async () => {
    const { asked } = jumpingClock()
    const nodes = await three()
    const leads$ = race(
      nodes.map((node) =>
        node.role$.pipe(
          filter(({ role }) => role === 'leader'),
          map(() => node),
        ),
      ),
    )
    const leader = await firstValueFrom(leads$.pipe(take(1)))
    const [first] = await Promise.all([firstValueFrom(leader.status$), firstValueFrom(timer(50))])
    const sums$ = interval(20).pipe(
      switchMap(() => leader.propose(1)),
      filter((progress) => progress.type === 'applied'),
      takeUntil(timer(1_000)),
      toArray(),
    )
    expect((await firstValueFrom(sums$)).length).toBeGreaterThan(10)
    const last = await firstValueFrom(leader.status$)
    expect([last.role, last.term]).toEqual(['leader', first.term])
    expect(asked()).toBeGreaterThan(0)
  })
})
