import { BehaviorSubject, Subject, type Observable } from 'rxjs'
import { NotLeader } from '../../lib/errors.ts'
import type { Leader, Settle } from '../../operators/engine/node.ts'

/** A node of which only the leader is real: what is submitted waits until the test decides. */
export class FakeNode {
  readonly id = 'a'
  readonly #leader$ = new BehaviorSubject<Leader | undefined>(undefined)
  readonly leader$: Observable<Leader | undefined> = this.#leader$
  readonly #room$ = new Subject<void>()
  readonly room$: Observable<void> = this.#room$
  readonly submitted: [command: string, settle: Settle<string>][] = []

  submit(command: string, settle: Settle<string>): void {
    this.submitted.push([command, settle])
  }

  /** The leader becomes known. */
  follow(leader: Leader): void {
    this.#leader$.next(leader)
  }

  /** What was too much may be tried again. */
  makeRoom(): void {
    this.#room$.next()
  }

  get isHopedFor(): boolean {
    return this.#room$.observed
  }

  stop(): void {
    this.#leader$.complete()
    this.#room$.complete()
  }

  crash(error: Error): void {
    this.#leader$.error(error)
  }

  get isWatched(): boolean {
    return this.#leader$.observed
  }

  /** Takes what was submitted first. */
  #next(): { readonly command: string; readonly settle: Settle<string> } {
    const [command, settle] = this.submitted.shift()!
    return { command, settle }
  }

  apply(): void {
    const { command, settle } = this.#next()
    settle.applied(command.toUpperCase(), 1, 1)
  }

  fail(error: Error = new NotLeader(undefined)): void {
    this.#next().settle.failed(error)
  }
}
