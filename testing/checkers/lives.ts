import type { NodeId } from '../../lib/types.ts'

/** What a checker remembers of each server in its present life; a new life begins with nothing. */
export class Lives<T> {
  readonly #lives = new Map<NodeId, { readonly life: number; readonly memory: T }>()

  constructor(private readonly born: () => T) {}

  of(id: NodeId, life: number): T {
    const known = this.#lives.get(id)
    if (known?.life === life) return known.memory
    const memory = this.born()
    this.#lives.set(id, { life, memory })
    return memory
  }
}
