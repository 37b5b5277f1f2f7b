import type { State } from '../../lib/state.ts'
import type { Step } from '../../lib/turn.ts'
import type { Index, NodeId, Term } from '../../lib/types.ts'
import { isAlike, visitBatch } from './entries.ts'
import type { MakeChecker, Observation } from './observation.ts'

/** What a running server knows and has applied: how far, and a hash of all of it, `NaN` at a witness. */
interface Running {
  readonly id: NodeId
  state: State | undefined
  index: Index
  hash: number
}

/**
 * When all faults are over the cluster heals: at the end one server leads and all members that run follow it, have
 * applied the same, and no less than what was committed when the faults ended. Of the operations begun
 * since then, at least one was done.
 */
export const convergence: MakeChecker = (violate) => {
  const cluster = new Cluster(violate)
  return { name: 'convergence', observe: (seen) => cluster.observe(seen) }
}

class Cluster {
  readonly #running = new Map<NodeId, Running>()
  readonly #begun = new Set<number>()
  /** Of everything applied through each index, as whoever got there first has applied it. */
  readonly #hashes: number[] = []
  #done = 0
  #committed: Index = 0
  #atHealing: Index | undefined

  constructor(private readonly violate: (message: string) => void) {}

  observe(seen: Observation): void {
    switch (seen.type) {
      case 'started':
        this.#running.set(seen.id, { id: seen.id, state: undefined, index: 0, hash: 0 })
        break
      case 'stopped':
        this.#running.delete(seen.id)
        break
      case 'step':
        this.#take(seen.id, seen.step)
        break
      case 'invoked':
        if (this.#atHealing !== undefined) this.#begun.add(seen.operation)
        break
      case 'returned':
        if (seen.response.type === 'ok' && this.#begun.has(seen.operation)) this.#done++
        break
      case 'healed':
        this.#atHealing = this.#committed
        break
      case 'ended':
        // A run that ended before it was healed had no chance to.
        if (this.#atHealing !== undefined) this.#judge(this.#atHealing)
        break
      case 'durable':
      case 'state':
      case 'wiped':
        break
    }
  }

  #take(id: NodeId, { state, applied, restore }: Step): void {
    this.#committed = Math.max(this.#committed, state.commitIndex)
    const server = this.#running.get(id)
    if (server === undefined) return
    server.state = state
    for (const { batch } of applied) {
      visitBatch(batch, server.index + 1, Infinity, (index, term, print) => {
        server.index = index
        server.hash = chained(server.hash, term, print)
        if (!Number.isNaN(server.hash)) this.#hashes[index] ??= server.hash
      })
    }
    if (restore?.isLast !== true) return
    // Whether the snapshot is what it stands for is another checker's question.
    server.index = restore.mark.index
    server.hash = this.#hashes[server.index] ?? 0
  }

  #judge(atHealing: Index): void {
    const leader = this.#newestLeader()
    if (this.#begun.size > 0 && this.#done === 0) {
      this.violate('no operation was done after the faults')
    }
    if (leader?.state === undefined) return this.violate('0 servers lead at the end')
    const { voters, outgoing, learners } = leader.state.members
    const isMember = (id: NodeId): boolean => [...voters, ...outgoing, ...learners].includes(id)
    const leads = [...this.#running.values()].filter(
      ({ id, state }) => state?.role.type === 'leader' && isMember(id),
    )
    if (leads.length > 1) this.violate(`${leads.length} servers lead at the end`)
    if (outgoing.length > 0) this.violate('a change of members is not completed at the end')
    if (leader.index < atHealing) {
      this.violate(`only ${leader.index} of ${atHealing} committed entries are applied`)
    }
    for (const server of this.#running.values()) {
      if (server !== leader && isMember(server.id)) this.#compare(server, leader)
    }
  }

  #newestLeader(): Running | undefined {
    const leaders = [...this.#running.values()].filter(({ state }) => state?.role.type === 'leader')
    return leaders.sort((one, other) => other.state!.term - one.state!.term)[0]
  }

  #compare({ id, state, index, hash }: Running, leader: Running): void {
    const followed = state?.role.type === 'follower' ? state.role.leader : undefined
    if (followed !== leader.id) {
      this.violate(`${id} follows ${followed ?? 'nobody'} and not ${leader.id}`)
    }
    if (index !== leader.index) {
      this.violate(`${id} has applied ${index} entries, its leader ${leader.index}`)
    } else if (!isAlike(hash, leader.hash)) {
      this.violate(`${id} and its leader ${leader.id} have applied different entries`)
    }
  }
}

const chained = (hash: number, term: Term, print: number): number =>
  Number.isNaN(hash) || Number.isNaN(print) ? NaN : Math.imul(hash ^ term ^ print, 0x01000193)
