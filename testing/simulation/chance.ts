import { seeded } from '../seeded.ts'

/** What is drawn from one seed: each `name` has numbers of its own, whoever else draws. */
export class Chance {
  readonly next: () => number

  constructor(seed: number, name: string) {
    let mixed = Math.imul(seed, 0x9e3779b1)
    for (let i = 0; i < name.length; i++) mixed = Math.imul(mixed ^ name.charCodeAt(i), 0x01000193)
    this.next = seeded(mixed)
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number {
    return Math.floor(this.between(min, max + 1))
  }

  is(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.whole(0, i)
      const item = shuffled[i]!
      shuffled[i] = shuffled[j]!
      shuffled[j] = item
    }
    return shuffled
  }
}
