import { BehaviorSubject, distinctUntilChanged, EMPTY, map, of, switchMap } from 'rxjs'
import type { Observable, ObservableInput, Subscription } from 'rxjs'
import type { NodeId } from '../lib/types.ts'
import type { RaftNode } from '../operators/engine/node.ts'

/** One server of a cluster, from life to life: each is a node of its own on the same disk. */
export class Server<C, R, Q, A> {
  readonly #lives$: BehaviorSubject<RaftNode<C, R, Q, A> | undefined>
  #node: RaftNode<C, R, Q, A>
  #running: Subscription | undefined

  constructor(
    private readonly make: () => RaftNode<C, R, Q, A>,
    private readonly failed: (error: unknown) => void,
  ) {
    this.#node = this.#born()
    this.#lives$ = new BehaviorSubject<RaftNode<C, R, Q, A> | undefined>(this.#node)
  }

  get node(): RaftNode<C, R, Q, A> {
    return this.#node
  }

  start(): void {
    if (this.#running !== undefined) return
    if (this.#lives$.value === undefined) this.#lives$.next((this.#node = this.#born()))
    this.#running = this.#node.connect()
  }

  crash(): void {
    if (this.#running === undefined) return
    this.#running.unsubscribe()
    this.#die()
  }

  /** Ends for good. */
  stop(): void {
    this.#running?.unsubscribe()
    this.#lives$.complete()
  }

  /** What `look` shows of each life, and `down` in between. */
  watch<T>(
    look: (node: RaftNode<C, R, Q, A>) => ObservableInput<T>,
    down: ObservableInput<T> = EMPTY,
  ): Observable<T> {
    return this.#lives$.pipe(switchMap((node) => (node === undefined ? down : look(node))))
  }

  get leader$(): Observable<NodeId | undefined> {
    const leader$ = this.watch((node) => node.leader$, of(undefined))
    return leader$.pipe(
      map((leader) => leader?.id),
      distinctUntilChanged(),
    )
  }

  get leads$(): Observable<boolean> {
    const role$ = this.watch((node) => node.status$.pipe(map(({ role }) => role)), of('down'))
    return role$.pipe(
      map((role) => role === 'leader'),
      distinctUntilChanged(),
    )
  }

  #born(): RaftNode<C, R, Q, A> {
    const node = this.make()
    // Subscribed before anybody: who watches finds a failed server down, and is not failed with it.
    node.trace$.subscribe({
      error: (error: unknown) => {
        this.#die()
        this.failed(error)
      },
    })
    return node
  }

  #die(): void {
    this.#running = undefined
    this.#lives$.next(undefined)
  }
}
