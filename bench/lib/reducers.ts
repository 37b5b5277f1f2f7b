import { memory } from '../../adapters/storage/memory.ts'
import { network } from '../../adapters/transport/memory.ts'
import { pack } from '../../lib/batch.ts'
import type { Event } from '../../lib/events.ts'
import { booting, type State } from '../../lib/state.ts'
import { reduce } from '../../lib/step.ts'
import type { Step } from '../../lib/turn.ts'
import { settings } from '../../operators/engine/options.ts'
import { commands } from '../harness/load.ts'
import { sum } from '../machine.ts'

const IDS = ['a', 'b', 'c']
const ENDLESS = 2 ** 40

/** Three reducers and nothing else: what one wants saved is saved, what it sends arrives, what is committed is applied. */
export class Reducers {
  readonly #states = new Map<string, State>()
  readonly #inbox: (readonly [to: string, event: Event])[] = []
  #ticket = 0
  #at = 0
  /** How often one of them was called. */
  steps = 0

  constructor() {
    const adapters = { storage: memory(), transport: network().join('a') }
    const endless = { snapshotEntries: ENDLESS, snapshotBytes: ENDLESS }
    for (const id of IDS) {
      const { protocol } = settings({ id, members: IDS, machine: sum, ...adapters, ...endless })
      this.#states.set(id, booting(protocol))
      const nothing = { type: 'restored', term: 0, vote: undefined, batches: [] } as const
      this.#inbox.push([id, { ...nothing, at: 0 }])
    }
    this.#settle()
    this.#at = 1000
    this.#inbox.push(['a', { type: 'electionTimeout', at: this.#at }])
    this.#settle()
  }

  /** What the leader has committed. */
  get committed(): number {
    return this.#states.get('a')!.commitIndex
  }

  /** Proposes what is packed, and goes on until everybody has heard of everything. */
  propose({ count, bytes }: Packed): void {
    this.#at += 1
    const event = { type: 'proposed', kind: 'command', count, bytes, at: this.#at } as const
    this.#inbox.push(['a', { ...event, ticket: this.#ticket++ }])
    this.#settle()
  }

  #settle(): void {
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      const [id, event] = next
      const step = reduce(this.#states.get(id)!, [event])
      this.steps++
      this.#states.set(id, step.state)
      this.#answer(id, step)
    }
  }

  #answer(id: string, { save, send, committed }: Step): void {
    const at = this.#at
    if (save !== undefined) {
      const { sequence, term } = save
      this.#inbox.push([id, { type: 'saved', at, sequence, term }])
    }
    for (const envelope of send) this.#inbox.push([envelope.to, { type: 'received', at, envelope }])
    const last = committed.at(-1)
    if (last === undefined) return
    const batches = committed.map((batch) => ({ batch, outcomes: [] }))
    const index = last.index + last.count - 1
    this.#inbox.push([id, { type: 'applied', at, index, batches }])
  }
}

export interface Packed {
  readonly count: number
  readonly bytes: Uint8Array
}

/** So many commands of 64 bytes, as proposals of one turn are. */
export const packed = (count: number): Packed => ({ count, bytes: pack(commands(count)) })
