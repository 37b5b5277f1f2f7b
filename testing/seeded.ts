/**
 * Chance that can be had again: numbers from 0 to 1, 1 excluded, the same for the same `seed`. The
 * generator is mulberry32, whose state is 32 bits: good enough for a test, not for a secret.
 */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
