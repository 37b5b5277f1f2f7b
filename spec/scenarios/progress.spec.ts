import { concatMap, map, pipe, timer } from 'rxjs'
import { expect, it } from 'vitest'
import { memory } from '../../adapters/storage/memory.ts'
import type { DiskRequest } from '../../lib/storage.ts'
import { raft } from '../../operators/engine/raft.ts'
import { marbles } from '../operators/support.ts'

it('each state of a proposal comes when it is reached, however late the machine is', () => {
  const heard: string[] = []
  marbles((_, scheduler) => {
    // A machine that takes 20 ms for each command, so that one turn has time for one batch.
    let slept = 0
    const apply = (_state: string, word: string) => [word, ((slept += 20), word)] as const
    const clock = {
      now: () => scheduler.now() + slept,
      schedule: scheduler.schedule.bind(scheduler),
    }
    const disk = pipe(
      concatMap((request: DiskRequest) => timer(5, scheduler).pipe(map(() => request))),
      memory(),
    )
    const alone = { id: 'a', scheduler: clock, turns: scheduler, storage: disk }
    const machine = { initial: '', apply }
    const node = raft({ ...alone, machine, electionTimeout: [10, 20], heartbeat: 5 })
    const running = node.connect()
    const tell = (word: string): void => {
      node.propose(word).subscribe(({ type }) => heard.push(`${word} ${type}`))
    }
    // Two batches, of which one has a name: they are committed together and applied one after the other.
    const tellBoth = (): void => {
      node.submit('x', {
        queued: () => heard.push('x queued'),
        committed: () => heard.push('x committed'),
        applied: () => heard.push('x applied'),
        failed: (error) => heard.push(String(error)),
      })
      tell('y')
    }
    scheduler.schedule(() => tell('w'), 50)
    scheduler.schedule(tellBoth, 100)
    scheduler.schedule(() => running.unsubscribe(), 200)
  })
  const states = ['queued', 'replicated', 'committed', 'applied']
  expect(heard).toEqual([
    ...states.map((state) => `w ${state}`),
    ...['x queued', 'y queued', 'x committed', 'y replicated', 'y committed'],
    ...['x applied', 'y applied'],
  ])
})
