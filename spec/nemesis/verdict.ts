/** What a run has brought to light. */
export interface Evidence {
  /** What must not be: a sentence each. */
  readonly problems: readonly string[]
  /** Why something could not be judged: a sentence each. */
  readonly doubts: readonly string[]
  readonly operations: number
  readonly acknowledged: number
  /** Writes that were sent again and had been carried out by then. */
  readonly replayed: number
  /** Reads that were answered within a bound. */
  readonly bounded: number
  /** Keys that were seen to go when their time was over. */
  readonly expired: number
  /** Founders that keep no data. */
  readonly witnesses: number
  readonly leaderChanges: number
  /** Configurations after the first that were committed. */
  readonly memberChanges: number
}

export type Verdict = 'clean' | 'wrong' | 'not tested'

/** A run in which nobody had to be elected again, or nothing was acknowledged, has shown nothing. */
export function judge({ problems, doubts, acknowledged, leaderChanges }: Evidence): Verdict {
  if (problems.length > 0) return 'wrong'
  if (doubts.length > 0 || acknowledged === 0 || leaderChanges === 0) return 'not tested'
  return 'clean'
}

/** The verdict on several runs: the worst of them. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('wrong')) return 'wrong'
  return verdicts.length === 0 || verdicts.includes('not tested') ? 'not tested' : 'clean'
}

export const exitCodes: Readonly<Record<Verdict, number>> = { clean: 0, wrong: 1, 'not tested': 2 }
