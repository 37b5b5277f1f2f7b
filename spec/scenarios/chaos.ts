import { takeUntil, timer, VirtualTimeScheduler } from 'rxjs'
import type { NodeId } from '../../lib/types.ts'
import type { Progress, RaftNode } from '../../operators/engine/node.ts'
import { cluster, seeded, type Cluster } from '../../testing/index.ts'
import { PEACE, WAR, war } from './war.ts'

/** How a proposal ended: its last progress, or its error. */
export type End = Progress<number> | Error

export interface Chaos {
  readonly words: readonly string[]
  readonly ends: ReadonlyMap<string, readonly End[]>
  /** What each server has applied in the end, in the order of the log. */
  readonly logs: readonly (readonly string[])[]
  /** Whatever two servers, or two lives of one, say differently of an entry or a term. */
  readonly disagreements: readonly string[]
}

/**
 * Servers crash, restart, are cut off, have slow disks, and messages are lost, doubled and late, while a
 * word is proposed to one of them each 4 ms; then nothing fails any more. All of it is the seed's chance. With
 * `forward` servers pass on what is submitted to them, under no name that would tell the second time.
 */
export function chaos(seed: number, { forward = false } = {}): Chaos {
  const scheduler = new VirtualTimeScheduler()
  const random = seeded(seed)
  const ids = ['a', 'b', 'c', 'd', 'e'].slice(0, seed % 2 === 0 ? 3 : 5)
  const servers = cluster({
    ids,
    machine: { initial: 0, apply: (count: number, _: string) => [count + 1, count + 1] as const },
    electionTimeout: [30, 60],
    heartbeat: 10,
    forward,
    ...war({ ids, scheduler, random, crashEvery: 70 }),
    scheduler,
    seed,
  })
  const disagreements = witness(servers)
  const ends = propose(servers, scheduler, random, forward ? submitted : proposed)
  servers.connect(timer(WAR + PEACE, scheduler))
  scheduler.flush()
  const logs = ids.map((id) =>
    servers
      .node(id)
      .history(1)
      .map(({ command }) => command),
  )
  return { words: [...ends.keys()], ends, logs, disagreements }
}

type How = (node: RaftNode<string, number>, word: string, hear: (end: End) => void) => void

const proposed: How = (node, word, hear) => {
  let last: Progress<number> | undefined
  node.propose(word, { timeout: 100 }).subscribe({
    next: (progress) => (last = progress),
    error: (error: unknown) => hear(error as Error),
    complete: () => hear(last!),
  })
}

const submitted: How = (node, word, hear) =>
  node.submit(word, {
    applied: (result, index, term) => hear({ type: 'applied', result, index, term }),
    failed: hear,
  })

/** Proposes words while there is war, each to whichever server, and a last one to every server. */
function propose(
  servers: Cluster<string, number>,
  scheduler: VirtualTimeScheduler,
  random: () => number,
  how: How,
): Map<string, End[]> {
  const ends = new Map<string, End[]>()
  const begin = (word: string, id: NodeId): void => {
    const said: End[] = []
    ends.set(word, said)
    how(servers.node(id), word, (end) => said.push(end))
  }
  timer(30, 4, scheduler)
    .pipe(takeUntil(timer(WAR, scheduler)))
    .subscribe((i) => begin(`w${i}`, servers.ids[Math.floor(random() * servers.ids.length)]!))
  timer(WAR + PEACE - 100, scheduler).subscribe(() => {
    for (const id of servers.ids) begin(`last of ${id}`, id)
  })
  return ends
}

/** A bystander who notes what servers say differently, in all their lives. */
function witness(servers: Cluster<string, number>): string[] {
  const disagreements: string[] = []
  const known = new Map<string, string>()
  const note = (what: string, is: string): void => {
    const before = known.get(what) ?? is
    if (before !== is) disagreements.push(`${what} is ${before} and ${is}`)
    known.set(what, before)
  }
  for (const id of servers.ids) {
    servers
      .watch(id, (node) => node.commits$)
      .subscribe(({ index, term, command }) => note(`entry ${index}`, `${command}@${term}`))
    servers
      .watch(id, (node) => node.role$)
      .subscribe(({ role, term }) => {
        if (role === 'leader') note(`the leader of term ${term}`, id)
      })
  }
  return disagreements
}
