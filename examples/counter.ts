/**
 * A counter that three servers agree on: real files, real sockets, one process for the example's sake.
 *
 *   npm run build && npx tsx examples/counter.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filter, firstValueFrom, interval, map, merge, scan, Subscription, take, tap } from 'rxjs'
import { raft } from 'rxraft'
import { propose } from 'rxraft/operators'
import { file } from 'rxraft/storage/file'
import { tcp } from 'rxraft/transport/tcp'

// The state machine: the reducer that you would give to `scan`, with an answer for whoever asked.
const counter = {
  initial: 0,
  apply: (count: number, by: number) => [count + by, `counted to ${count + by}`] as const,
  query: (count: number, question: 'count') => ({ [question]: count }),
}

const peers = { a: '127.0.0.1:7811', b: '127.0.0.1:7812', c: '127.0.0.1:7813' }
const data = mkdtempSync(join(tmpdir(), 'rxraft-counter-'))

const nodes = Object.entries(peers).map(([id, listen]) =>
  raft({
    id,
    members: Object.keys(peers),
    machine: counter,
    storage: file(join(data, id)),
    transport: tcp({ id, cluster: 'counter', listen, peers }),
  }),
)

// Every node's streams can be watched before it runs.
const running = new Subscription()
for (const node of nodes) {
  running.add(
    node.commits$.subscribe(({ index, command }) => {
      console.log(`${node.id} applied entry ${index}: +${command}`)
    }),
  )
  running.add(node.connect())
}

// Whichever of them becomes the leader says so.
const leader = await firstValueFrom(
  merge(
    ...nodes.map((node) =>
      node.role$.pipe(
        filter(({ role }) => role === 'leader'),
        map(({ term }) => ({ node, term })),
      ),
    ),
  ),
)
console.log(`${leader.node.id} leads in term ${leader.term}`)

// A stream of commands becomes a stream of results, in order, each one on a majority of disks.
const clicks$ = interval(100).pipe(
  map(() => 1),
  take(5),
)
await new Promise<void>((resolve) => {
  clicks$
    .pipe(
      propose(leader.node),
      tap((result) => console.log(`the leader answered: ${result}`)),
      scan((answers) => answers + 1, 0),
    )
    .subscribe({ complete: resolve })
})

// Any server answers a question with everything that was acknowledged before it.
const follower = nodes.find((node) => node !== leader.node)!
console.log(`${follower.id} says`, await firstValueFrom(follower.query('count')))

running.unsubscribe()
rmSync(data, { recursive: true, force: true })
