import { VirtualTimeScheduler } from 'rxjs'
import { expect, it } from 'vitest'
import { Timeout } from '../../../lib/errors.ts'
import { raft } from '../../../operators/engine/raft.ts'

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
