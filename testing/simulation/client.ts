import type { Subscription } from 'rxjs'
import { NotLeader, RaftError } from '../../lib/errors.ts'
import { SessionExpired, type Session } from '../../lib/sessions.ts'
import type { Index, NodeId } from '../../lib/types.ts'
import type { Progress, RequestName } from '../../operators/engine/node.ts'
import { isBounded } from '../checkers/boundedReads.ts'
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

/** So often a command that has a name is sent to another server besides, as a network that repeats would. */
const TWICE = 0.1

/** What became of one attempt. */
type Verdict =
  | { readonly type: 'over'; readonly response: Response }
  /** It certainly had no effect. */
  | { readonly type: 'again'; readonly leader: NodeId | undefined }
  /** It may have had one, or may yet. */
  | { readonly type: 'doubt' }
  /** The same, and nobody will ever know. */
  | { readonly type: 'expired' }

const IN_DOUBT: Verdict = { type: 'doubt' }
const AGAIN: Verdict = { type: 'again', leader: undefined }

type Change = Exclude<Request, { type: 'get' }>

export interface ClientOptions {
  /** Where it begins. Default: drawn. */
  readonly target?: NodeId
  /** It gives its commands names, and repeats one whose outcome it does not know. Default false. */
  readonly isPersistent?: boolean
}

/**
 * A client that does one operation at a time: it asks the server that it believes to lead, follows redirects and
 * tries again what certainly had no effect. What may have had one it repeats only under the same name.
 */
export class Client {
  #target: NodeId
  readonly #isPersistent: boolean
  #session: Session | undefined
  #sequence = 0
  #index: Index = 0

  constructor(
    private readonly world: World,
    private readonly chance: Chance,
    private readonly promises: Promises,
    { target, isPersistent = false }: ClientOptions = {},
  ) {
    this.#target = target ?? chance.pick(world.options.founders)
    this.#isPersistent = isPersistent
  }

  /** The entry of its latest command, as far as it was told. */
  get index(): Index {
    return this.#index
  }

  /** Does one operation; `done` hears of it within some seconds. */
  ask(request: Request, done: (response: Response) => void): void {
    const { clock } = this.world
    const end = clock.now() + PATIENCE
    const isNamed = this.#isPersistent && request.type !== 'get'
    let isInDoubt = false
    this.#sequence++
    // Clients that all stay with an old leader would never notice what it does not know.
    if (this.chance.is(WANDERING)) this.#target = this.#anybody()
    // What may be old is asked of anybody.
    if (isBounded(request)) this.#target = this.chance.pick(this.world.started).id
    const attempt = (): void => {
      const server = this.world.server(this.#target)!
      if (server.node === undefined) return judge(AGAIN)
      if (isNamed && this.#session === undefined) return this.#open(server, judge)
      if (isNamed && this.chance.is(TWICE)) {
        this.#sendTwice(request)
        // The other one may have an effect whatever becomes of this one.
        isInDoubt = true
      }
      this.#attempt(server, request, judge)
    }
    const judge = (verdict: Verdict): void => {
      if (verdict.type === 'over') return done(verdict.response)
      isInDoubt ||= verdict.type !== 'again'
      if (verdict.type === 'expired') this.#session = undefined
      const isLast = verdict.type === 'expired' || (isInDoubt && !isNamed)
      const isOver = clock.now() >= end || isLast
      if (isOver) return done({ type: isInDoubt ? 'unknown' : 'failed' })
      const leader = verdict.type === 'again' ? verdict.leader : undefined
      this.#target = leader ?? this.#anybody()
      clock.after(this.chance.between(1, leader === undefined ? 60 : 5), attempt)
    }
    attempt()
  }

  /** Clients know who the members are, more or less. */
  #anybody(): NodeId {
    const { voters = [] } = this.world.roster.members ?? {}
    const isUpToDate = voters.length > 0 && this.chance.is(UP_TO_DATE)
    return isUpToDate ? this.chance.pick(voters) : this.chance.pick(this.world.started).id
  }

  /** Calls `act` at the server, unless it dies before, and `judge` with what comes of it, or of waiting in vain. */
  #reach(
    { node, clock }: SimulatedServer,
    judge: (verdict: Verdict) => void,
    late: Verdict,
    act: (node: StoreNode, settle: (verdict: Verdict) => void) => void,
  ): void {
    const { clock: time } = this.world
    let task: Task | undefined
    const settle = (verdict: Verdict): void => {
      if (task === undefined) return
      time.cancel(task)
      task = undefined
      judge(verdict)
    }
    task = time.after(ATTEMPT, () => settle(late))
    // A paused server hears of it when it is resumed; one that crashes before never does.
    clock.post(() => {
      if (node !== undefined) act(node, settle)
    })
  }

  #attempt(server: SimulatedServer, request: Request, judge: (verdict: Verdict) => void): void {
    const { id, clock } = server
    const isRead = request.type === 'get'
    const name = this.#name()
    this.#reach(server, judge, isRead ? AGAIN : IN_DOUBT, (node, settle) => {
      const keep = this.promises.made(`${id} to answer a ${request.type}`, clock, timeout)
      const answering = isRead
        ? this.#get(server, node, request, settle)
        : this.#change(node, request, settle, name)
      // Whoever gives up waits no longer, but the promise is still to be kept.
      answering.add(keep)
    })
  }

  #name(): RequestName | undefined {
    const session = this.#session
    return session === undefined ? undefined : { session, sequence: this.#sequence }
  }

  #open(server: SimulatedServer, judge: (verdict: Verdict) => void): void {
    this.#reach(server, judge, AGAIN, (node, settle) => {
      node.session().subscribe({
        next: (session) => {
          this.#session ??= session
          settle({ type: 'again', leader: server.id })
        },
        error: (error: unknown) => settle(again(error)),
      })
    })
  }

  /** Nobody waits for what comes of it. */
  #sendTwice(request: Change): void {
    const server = this.world.server(this.#anybody())!
    const name = this.#name()
    this.#reach(server, ignored, AGAIN, (node, settle) => {
      this.#change(node, request, settle, name)
    })
  }

  #get(
    { clock }: SimulatedServer,
    node: StoreNode,
    { key, within, atLeast }: Extract<Request, { type: 'get' }>,
    settle: (verdict: Verdict) => void,
  ): Subscription {
    const asOf = within === undefined ? {} : { asOf: clock.when(clock.now() - within) }
    const options =
      within !== undefined
        ? { timeout, consistency: { within } }
        : atLeast !== undefined
          ? { timeout, consistency: { atLeast } }
          : { timeout }
    return node.query(key, options).subscribe({
      next: (value) => settle({ type: 'over', response: { type: 'ok', value, ...asOf } }),
      // It may be asked of a server that was sent away, and does not know it.
      error: (error: unknown) => settle(again(error)),
    })
  }

  #change(
    node: StoreNode,
    request: Change,
    settle: (verdict: Verdict) => void,
    name: RequestName | undefined,
  ): Subscription {
    let last: Progress<Written> | undefined
    const options = name === undefined ? { timeout } : { timeout, request: name }
    return node.propose(request, options).subscribe({
      next: (progress) => (last = progress),
      error: (error: unknown) => settle(judged(error)),
      complete: () => {
        if (last?.type !== 'applied') return settle(AGAIN)
        const { swapped } = last.result
        this.#index = Math.max(this.#index, last.index)
        settle({
          type: 'over',
          response: request.type === 'cas' ? { type: 'ok', swapped } : { type: 'ok' },
        })
      },
    })
  }
}

function judged(error: unknown): Verdict {
  if (error instanceof RaftError && error.outcome !== 'unknown') return again(error)
  return error instanceof SessionExpired ? { type: 'expired' } : IN_DOUBT
}

const ignored = (): void => undefined

const again = (error: unknown): Verdict => ({
  type: 'again',
  leader: error instanceof NotLeader ? error.leader : undefined,
})
