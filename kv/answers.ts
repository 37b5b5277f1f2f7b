import type { Position } from 'rxraft'
import type { Outcome } from './machine.ts'
import { hashOf } from './hashes.ts'
import { ordinal } from './ordinals.ts'
import { ascend, get, remove, set, type Tree } from './tree.ts'

/** What came of a request that had an idempotency key. */
export interface Answered {
  /** Stands for all that the request asked for. */
  readonly digest: string
  readonly outcome: Outcome
  /** The entry of the log that carried it out. */
  readonly at: Position
}

/**
 * What came of the newest requests that had idempotency keys, for those who ask again. A part of the
 * state, so that every server answers the same; only newer keys make it forget one, and no clock does.
 */
export interface Answers {
  readonly byKey: Tree<Answered>
  /** The keys in the order of the log. */
  readonly byAge: Tree<string>
  readonly size: number
  /** The sum of the hashes of all of them. */
  readonly hash: number
}

export const NO_ANSWERS: Answers = { byKey: undefined, byAge: undefined, size: 0, hash: 0 }

/** Keys that are remembered. */
const MAX_ANSWERS = 100_000

export const answerTo = ({ byKey }: Answers, key: string): Answered | undefined => get(byKey, key)

/** Remembers what came of a request with a new key; the oldest may have to go. */
export function remember(
  answers: Answers,
  key: string,
  answered: Answered,
  limit = MAX_ANSWERS,
): Answers {
  const { byKey, byAge, size, hash } = answers.size < limit ? answers : withoutOldest(answers)
  return {
    byKey: set(byKey, key, answered),
    byAge: set(byAge, ordinal(answered.at.index), key),
    size: size + 1,
    hash: (hash + hashOfAnswer(key, answered)) | 0,
  }
}

function withoutOldest({ byKey, byAge, size, hash }: Answers): Answers {
  for (const { key: age, value: key } of ascend(byAge)) {
    return {
      byKey: remove(byKey, key),
      byAge: remove(byAge, age),
      size: size - 1,
      hash: (hash - hashOfAnswer(key, get(byKey, key)!)) | 0,
    }
  }
  return NO_ANSWERS
}

const hashOfAnswer = (key: string, { digest, outcome, at }: Answered): number =>
  hashOf(key, digest, outcome.ok ? 'ok' : outcome.reason, outcome.version, at.index, at.term)

/** The oldest first. */
export function* answered({ byKey, byAge }: Answers): Generator<readonly [string, Answered], void> {
  for (const { value: key } of ascend(byAge)) yield [key, get(byKey, key)!]
}
