import { Histogram } from './histogram.ts'

export interface Measured {
  /** Settled commands a second. */
  readonly rate: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  /** Seconds of processor time that this process took in each second. */
  readonly cpu: number
  /** Bytes of memory that it has in the end. */
  readonly rss: number
}

/** Counts what is settled between `begin` and `end`, with the latencies of a sample. */
export class Meter {
  readonly #latencies = new Histogram()
  #began = 0
  #cpu = process.cpuUsage()
  count = 0
  /** Whether settled commands are to be replaced. */
  isOn = true

  sample(ms: number): void {
    this.#latencies.record(ms)
  }

  begin(): void {
    this.#latencies.clear()
    this.count = 0
    this.#cpu = process.cpuUsage()
    this.#began = performance.now()
  }

  stop(): void {
    this.isOn = false
  }

  end(): Measured {
    const seconds = (performance.now() - this.#began) / 1000
    const { user, system } = process.cpuUsage(this.#cpu)
    return {
      rate: this.count / seconds,
      p50: this.#latencies.percentile(0.5),
      p99: this.#latencies.percentile(0.99),
      p999: this.#latencies.percentile(0.999),
      max: this.#latencies.max,
      cpu: (user + system) / 1e6 / seconds,
      rss: process.memoryUsage.rss(),
    }
  }
}
