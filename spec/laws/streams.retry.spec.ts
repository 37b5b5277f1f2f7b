import { filter, firstValueFrom, lastValueFrom, map, retry, type Observable } from 'rxjs'
import { expect, it } from 'vitest'
import type { Progress } from '../../operators/engine/node.ts'
import { raft } from '../../operators/engine/raft.ts'

const machine = { initial: 0, apply: (sum: number, by: number) => [sum + by, sum + by] as const }

/** Loses patience as soon as the command is in the log. */
const impatient = (progress$: Observable<Progress<number>>): Observable<Progress<number>> =>
  progress$.pipe(
    map((progress) => {
      if (progress.type === 'queued') throw new Error('too slow')
      return progress
    }),
  )

it('law 9: however many attempts are under way at once, the command is applied exactly once', async () => {
  const node = raft({ id: 'a', machine, electionTimeout: [4, 8], heartbeat: 2 })
  const commits: number[] = []
  node.commits$.subscribe(({ command }) => commits.push(command))
  const running = node.connect()
  await firstValueFrom(node.leader$.pipe(filter(Boolean)))
  const proposal$ = node.propose(5)
  const attempts = [proposal$, impatient(proposal$).pipe(retry({ count: 3 })), proposal$]
  const ends = await Promise.all(attempts.map((it) => lastValueFrom(it)))
  const applied = { type: 'applied', index: 3, term: 1, result: 5 }
  expect(ends).toEqual([applied, applied, applied])
  expect(await lastValueFrom(impatient(proposal$))).toEqual(applied)
  // The leader's first entry, the session's, and several attempts.
  expect((await firstValueFrom(node.status$)).lastIndex).toBeGreaterThan(5)
  expect(commits).toEqual([5])
  expect(node.history(1).map(({ command }) => command)).toEqual([5])
  running.unsubscribe()
})
