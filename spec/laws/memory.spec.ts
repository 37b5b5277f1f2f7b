import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  concat,
  exhaustMap,
  filter,
  firstValueFrom,
  ignoreElements,
  lastValueFrom,
  mergeMap,
  NEVER,
  range,
  type Observable,
} from 'rxjs'
import { expect, it } from 'vitest'
import { commitsFrom } from '../../operators/commitsFrom.ts'
import { propose } from '../../operators/propose.ts'
import { raft } from '../../operators/engine/raft.ts'

/** Commands of one run, and how many of them at once. */
const [commands, inFlight] = [3000, 100]

/** A server alone that leads, and whatever it answers, for as long as somebody holds it. */
async function leading() {
  const results: WeakRef<object>[] = []
  const apply = (count: number, _: number) => {
    const result = { count: count + 1 }
    results.push(new WeakRef(result))
    return [count + 1, result] as const
  }
  const machine = { initial: 0, apply }
  const node = raft({ id: 'a', machine, electionTimeout: [4, 8], heartbeat: 2 })
  const running = node.connect()
  await firstValueFrom(node.leader$.pipe(filter(Boolean)))
  return { node, running, results }
}

/**
 * How many are held by somebody, once there are less than `bound`, or after many collections: a compiler that works in the
 * background holds what its code has just seen, until it is done.
 */
async function held(results: readonly WeakRef<object>[], bound: number): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let count = results.length
  for (let round = 0; round < 50 && count >= bound; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    count = results.filter((result) => result.deref() !== undefined).length
  }
  return count
}

/** The latest step is replayed, and with it what was applied in it, which is at most what was in flight. */
const latestStep = inFlight + 1

it('law 5: for a subscriber that never reads, the engine keeps nothing', async () => {
  const { node, running, results } = await leading()
  const { commits$, status$, trace$ } = node
  for (const stream of [commits$, status$, trace$, commitsFrom(node, 1)]) {
    // Takes the first value and never comes back for another, without a queue of its own.
    const unread$ = (stream as Observable<unknown>).pipe(exhaustMap(() => NEVER))
    running.add(unread$.subscribe())
  }
  const progress$ = range(1, commands).pipe(mergeMap((by) => node.propose(by), inFlight))
  await lastValueFrom(progress$.pipe(ignoreElements()), { defaultValue: undefined })
  expect(results).toHaveLength(commands)
  expect(await held(results, latestStep)).toBeLessThan(latestStep)
  running.unsubscribe()
})

it('law 5: results that have been passed on, the operators do not keep', async () => {
  const { node, running, results } = await leading()
  const unread$ = propose(node, { concurrency: inFlight })(concat(range(1, commands), NEVER))
  const done = new Promise((resolve) => {
    node.commits$.pipe(filter(({ command }) => command === commands)).subscribe(resolve)
  })
  running.add(unread$.pipe(exhaustMap(() => NEVER)).subscribe())
  await done
  expect(results).toHaveLength(commands)
  expect(await held(results, latestStep)).toBeLessThan(latestStep)
  running.unsubscribe()
})

it('law 5: questions that are given up, the engine forgets', async () => {
  const machine = {
    initial: 0,
    apply: (n: number) => [n, n] as const,
    query: (n: number, _: object) => n,
  }
  const node = raft({ id: 'a', machine })
  const questions = Array.from({ length: commands }, () => {
    const question = {}
    node.query(question).subscribe().unsubscribe()
    return new WeakRef(question)
  })
  // The one that was asked last may still lie on a stack.
  expect(await held(questions, 2)).toBeLessThan(2)
  node.connect().unsubscribe()
})
