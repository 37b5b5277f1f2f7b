import type { Index } from './types.ts'

/** What a state machine's state was after the entry at `index`, in a few characters. */
export interface Fingerprint {
  readonly index: Index
  readonly value: string
}

export interface Fingerprints {
  /** Those of this server, the newest last. */
  readonly taken: readonly Fingerprint[]
  /** What the leader's is after an entry that this server has yet to apply. */
  readonly awaited: Fingerprint | undefined
}

export const NO_FINGERPRINTS: Fingerprints = { taken: [], awaited: undefined }

/** Whether it is 1 to 64 visible characters of ASCII. */
export const isFingerprint = (value: string): boolean => /^[!-~]{1,64}$/.test(value)
