/** Each bucket is this much wider than the one before: how exact a percentile is. */
const GROWTH = 1.02
const SMALLEST_MS = 0.001
const BUCKETS_OF_E = 1 / Math.log(GROWTH)
const BUCKETS = 1024

/** Latencies in ms, counted in buckets: a percentile is right to 1 %. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS)
  count = 0
  /** The longest, as it was; `NaN` when there is none. */
  max = NaN

  record(ms: number): void {
    const bucket = Math.log(ms / SMALLEST_MS) * BUCKETS_OF_E
    this.#counts[Math.min(BUCKETS - 1, Math.max(0, Math.floor(bucket)))]! += 1
    this.count++
    if (!(ms <= this.max)) this.max = ms
  }

  /** The latency that the fraction `p` of all stays at or below; `NaN` when there are none. */
  percentile(p: number): number {
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!
      if (seen > 0 && seen >= p * this.count) return SMALLEST_MS * GROWTH ** (bucket + 0.5)
    }
    return NaN
  }

  clear(): void {
    this.#counts.fill(0)
    this.count = 0
    this.max = NaN
  }
}
