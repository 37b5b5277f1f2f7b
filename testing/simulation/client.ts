import type { Subscription } from 'rxjs'
import { NotLeader, RaftError } from '../../lib/errors.ts'
import type { NodeId } from '../../lib/types.ts'
import type { Progress } from '../../operators/engine/node.ts'
import type { Request, Response } from '../checkers/observation.ts'
import type { Chance } from './chance.ts'
import type { Task } from './heap.ts'
import type { Promises } from './promises.ts'
import type { SimulatedServer } from './server.ts'
import type { StoreNode, Written } from './store.ts'
import type { World } from './world.ts'

/** An operation is given up after this many ms. */
const PATIENCE = 3_000
/** How often an operation begins at whichever server. */
const WANDERING = 0.3
/** And so often it begins at one that is a voter, where it does. */
const UP_TO_DATE = 0.5

/** A server that does not answer is given up after this many ms. */
const ATTEMPT = 1_500
/** A server is asked to answer within this many ms, by its own clock. */
const timeout = 1_000

/** What became of one attempt. */
type Verdict =
  | { readonly type: 'over'; readonly response: Response }
  | { readonly type: 'again'; readonly leader: NodeId | undefined }

/**
 * A client that does one operation at a time: it asks the server that it believes to lead, follows redirects,
 * tries again what certainly had no effect, and never repeats what may have had one.
 */
export class Client {
  #target: NodeId

  constructor(
    private readonly world: World,
    private readonly chance: Chance,
    private readonly promises: Promises,
    target?: NodeId,
  ) {
    this.#target = target ?? chance.pick(world.options.founders)
  }

  /** Does one operation; `done` hears of it within some seconds. */
  ask(request: Request, done: (response: Response) => void): void {
    const end = this.world.clock.now() + PATIENCE
    // Clients that all stay with an old leader would never notice what it does not know.
    if (this.chance.is(WANDERING)) this.#target = this.#anybody()
    const attempt = (): void => {
      const server = this.world.server(this.#target)!
      if (server.node === undefined) return judge({ type: 'again', leader: undefined })
      this.#attempt(server, request, judge)
    }
    const judge = (verdict: Verdict): void => {
      if (verdict.type === 'over') return done(verdict.response)
      if (this.world.clock.now() >= end) return done({ type: 'failed' })
      this.#target = verdict.leader ?? this.#anybody()
      this.world.clock.after(this.chance.between(1, verdict.leader === undefined ? 60 : 5), attempt)
    }
    attempt()
  }

  /** Clients know who the members are, more or less. */
  #anybody(): NodeId {
    const { voters = [] } = this.world.roster.members ?? {}
    const isUpToDate = voters.length > 0 && this.chance.is(UP_TO_DATE)
    return isUpToDate ? this.chance.pick(voters) : this.chance.pick(this.world.started).id
  }

  #attempt(
    { id, node, clock }: SimulatedServer,
    request: Request,
    judge: (verdict: Verdict) => void,
  ): void {
    const { clock: time } = this.world
    let task: Task | undefined
    const settle = (verdict: Verdict): void => {
      if (task === undefined) return
      time.cancel(task)
      task = undefined
      judge(verdict)
    }
    task = time.after(ATTEMPT, () =>
      settle(
        request.type === 'get'
          ? { type: 'again', leader: undefined }
          : { type: 'over', response: { type: 'unknown' } },
      ),
    )
    // A paused server hears of it when it is resumed; one that crashes before never does.
    clock.post(() => {
      if (node === undefined) return
      const keep = this.promises.made(`${id} to answer a ${request.type}`, clock, timeout)
      const answering =
        request.type === 'get'
          ? this.#get(node, request.key, settle)
          : this.#change(node, request, settle)
      // Whoever gives up waits no longer, but the promise is still to be kept.
      answering.add(keep)
    })
  }

  #get(node: StoreNode, key: string, settle: (verdict: Verdict) => void): Subscription {
    return node.query(key, { timeout }).subscribe({
      next: (value) => settle({ type: 'over', response: { type: 'ok', value } }),
      // It may be asked of a server that was sent away, and does not know it.
      error: (error: unknown) =>
        settle({ type: 'again', leader: error instanceof NotLeader ? error.leader : undefined }),
    })
  }

  #change(
    node: StoreNode,
    request: Exclude<Request, { type: 'get' }>,
    settle: (verdict: Verdict) => void,
  ): Subscription {
    let last: Progress<Written> | undefined
    return node.propose(request, { timeout }).subscribe({
      next: (progress) => (last = progress),
      error: (error: unknown) => settle(judged(error)),
      complete: () => {
        if (last?.type !== 'applied') return settle({ type: 'again', leader: undefined })
        const { swapped } = last.result
        settle({
          type: 'over',
          response: request.type === 'cas' ? { type: 'ok', swapped } : { type: 'ok' },
        })
      },
    })
  }
}

function judged(error: unknown): Verdict {
  if (!(error instanceof RaftError) || error.outcome === 'unknown') {
    return { type: 'over', response: { type: 'unknown' } }
  }
  return { type: 'again', leader: error instanceof NotLeader ? error.leader : undefined }
}
