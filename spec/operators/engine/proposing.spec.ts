import { retry, VirtualTimeScheduler } from 'rxjs'
import { expect, it } from 'vitest'
import { ConfigError, Superseded, Timeout } from '../../../lib/errors.ts'
import { Deadlines } from '../../../operators/engine/deadlines.ts'
import type { Settle } from '../../../operators/engine/node.ts'
import type { Proposer } from '../../../operators/engine/proposal.ts'
import { proposing } from '../../../operators/engine/proposing.ts'
import { raft } from '../../../operators/engine/raft.ts'
import { Requests } from '../../../operators/engine/requests.ts'

it('a proposal that times out before its turn ends may still take effect, and says so', () => {
  const clock = new VirtualTimeScheduler()
  const late = {
    now: () => clock.now(),
    schedule: ((work, delay = 0, state) =>
      clock.schedule(work, delay + 10, state)) as VirtualTimeScheduler['schedule'],
  }
  const machine = { initial: 0, apply: (sum: number, by: number) => [sum + by, sum + by] as const }
  const node = raft({ id: 'a', machine, scheduler: clock, turns: late })
  const committed: number[] = []
  const errors: unknown[] = []
  node.commits$.subscribe(({ command }) => committed.push(command))
  const running = node.connect()
  clock.schedule(() => {
    node.propose(7, { timeout: 5 }).subscribe({ error: (error: unknown) => errors.push(error) })
  }, 1000)
  clock.schedule(() => running.unsubscribe(), 2000)
  clock.flush()
  expect(errors).toEqual([new Timeout(5, 'unknown')])
  expect(errors).toMatchObject([{ outcome: 'unknown' }])
  expect(committed).toEqual([7])
})

it('a retry after a refusal leaves a heartbeat to the node, which has found a leader then', () => {
  const clock = new VirtualTimeScheduler()
  const machine = { initial: 0, apply: (sum: number, by: number) => [sum + by, sum + by] as const }
  const alone = { id: 'a', machine, scheduler: clock, turns: clock, random: () => 0 }
  const node = raft({ ...alone, heartbeat: 20, electionTimeout: [50, 60] })
  const heard: unknown[] = []
  let attempts = 0
  const delay = () => {
    if (++attempts > 100) throw new Error('in a circle')
    return [0]
  }
  node
    .propose(7)
    .pipe(retry({ delay }))
    .subscribe(({ type }) => heard.push(`${type} ${clock.now()}`))
  const running = node.connect()
  clock.schedule(() => running.unsubscribe(), 1000)
  clock.flush()
  expect(heard).toEqual(['queued 60', 'replicated 60', 'committed 60', 'applied 60'])
  expect(attempts).toBe(3)
})

it.each([
  { session: { index: 0, term: 1 }, sequence: 0 },
  { session: { index: 1, term: -1 }, sequence: 0 },
  { session: { index: 1, term: 1 }, sequence: 0.5 },
  { session: { index: 1, term: 1 }, sequence: 3, lowest: 4 },
  { session: { index: 1, term: 1 }, sequence: 3, lowest: -1 },
])('a name that cannot be is refused: %j', (request) => {
  const machine = { initial: 0, apply: (sum: number, by: number) => [sum + by, sum + by] as const }
  expect(() => raft({ id: 'a', machine }).propose(1, { request })).toThrow(ConfigError)
})

it('a proposal is abandoned when the last of its attempts has lost its place, not before', () => {
  const settles: Settle<string>[] = []
  const limits = { sessions: 9, results: 9, entries: 9 }
  const proposer: Proposer<string, string> = {
    request: (_command, _request, settle) => settles.push(settle),
    find: () => undefined,
    requests: new Requests(limits, (_, opening) => opening.queued?.(1, 1)),
  }
  const clock = new VirtualTimeScheduler()
  const deadlines = new Deadlines(clock)
  const timing = { timeout: 5000, pause: 50, deadlines, scheduler: clock }
  const proposal$ = proposing(proposer, timing)('x')
  const heard: string[] = []
  for (const name of ['one', 'two']) {
    proposal$.subscribe({
      next: ({ type }) => heard.push(`${name} ${type}`),
      error: (error: unknown) => heard.push(`${name} ${String(error)}`),
    })
  }
  for (const [i, { failed }] of settles.entries()) failed(new Superseded(i + 2))
  const lost = "Superseded: another leader's entry took the command's place at index 2"
  expect(heard).toEqual([`one ${lost}`, 'two abandoned'])
})
