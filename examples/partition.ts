/**
 * A partition test without a test runner: a job that runs on one server at a time, drawn in virtual time.
 *
 *   npm run build && npx tsx examples/partition.ts
 */
import { deepStrictEqual } from 'node:assert/strict'
import { interval, map, merge } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { whileLeader } from 'rxraft/operators'
import { cluster, expectLeader, network } from 'rxraft/testing'

// One column is one millisecond. `a` is cut off, works on until it notices, and `b` takes over.
const picture = {
  network: '-----------------(a|bc)-----------h--------',
  leader: ' -----------a------------n--b---------------',
  work: '   -------------a--a--a--a--a---b--b--b--b--b-|',
  end: '    -------------------------------------------|',
}

const testScheduler = new TestScheduler(deepStrictEqual)
testScheduler.run(({ hot, expectObservable }) => {
  const servers = cluster(3, { partitions$: network(picture.network) })

  // The application: every 3 ms, the server that leads does a piece of work.
  const work = (id: string) =>
    servers.watch(id, (node) =>
      node.role$.pipe(
        whileLeader(() => interval(3)),
        map(() => id),
      ),
    )

  expectLeader(servers).toBe(picture.leader)
  expectObservable(merge(...servers.ids.map(work))).toBe(picture.work)
  servers.connect(hot(picture.end))
})

for (const [what, drawn] of Object.entries(picture)) console.log(what.padEnd(9), drawn.trim())
console.log('It all happened as it was drawn.')
