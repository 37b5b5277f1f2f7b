/**
 * A set of pairs of 32-bit words, in 8 bytes a pair and some air. Two different clusters whose 64 bits
 * are equal would be taken for one: with ten million of them, the chance of that is 3 in a million.
 */
export class Seen {
  size = 0
  #slots = new Int32Array(2 << 16)

  /** Whether the pair is new. */
  add(high: number, low: number): boolean {
    if (this.size * 3 > this.#slots.length) this.#grow()
    // The pair of zeros marks an empty slot.
    if (!this.#place(high, high === 0 && low === 0 ? 1 : low)) return false
    this.size++
    return true
  }

  #place(high: number, low: number): boolean {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let at = (low << 1) & mask; ; at = (at + 2) & mask) {
      if (slots[at] === 0 && slots[at + 1] === 0) {
        slots[at] = high
        slots[at + 1] = low
        return true
      }
      if (slots[at] === high && slots[at + 1] === low) return false
    }
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(old.length * 2)
    for (let at = 0; at < old.length; at += 2) {
      if (old[at] !== 0 || old[at + 1] !== 0) this.#place(old[at]!, old[at + 1]!)
    }
  }
}
