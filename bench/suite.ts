import type { Ground } from './harness/server.ts'
import type { Result } from './report.ts'

/** Something to measure. */
export interface Suite {
  readonly name: string
  readonly about: string
  /** Whether it runs only when it is named, because it takes long. */
  readonly onlyNamed?: true
  /** Whether `--quick` leaves it out unless it is named. */
  readonly notQuick?: true
  /** Measures, and prints what is found as it is found. */
  run(effort: Effort, ground: Ground, print: (text: string) => void): Promise<readonly Result[]>
}

export interface Effort {
  /** A first look: what has a fixed length is shorter. */
  readonly isQuick: boolean
  readonly runs: number
  /** Each load is measured for so long. */
  readonly seconds: number
  /** And for so long, in seconds, the compiler sees the code at work before that. */
  readonly warmup: number
  /** The loads: commands on their way at any time. */
  readonly outstanding: readonly number[]
  /** How many servers each cluster of `http` has. */
  readonly servers: readonly number[]
  /** How many clients put and get at a time. */
  readonly clients: readonly number[]
  /** Of the values that they put. */
  readonly bytes: readonly number[]
  /** Commands of a long run. */
  readonly entries: number
}
