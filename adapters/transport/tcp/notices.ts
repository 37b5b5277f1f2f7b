import type { SchedulerLike } from 'rxjs'
import type { Notice } from '../../../lib/storage.ts'
import { Failure } from './failure.ts'

const WINDOW_MS = 1_000
const PER_WINDOW = 5

export type Report = (code: string, message: string, peer?: string, cause?: unknown) => void

/**
 * Reports become notices, at most five a second of one kind about one peer: a stranger that knocks a
 * thousand times a second is told of, and does not fill a disk with it. That a peer cannot be reached
 * is told once, until there is something else to tell of it.
 */
export function notices(emit: (notice: Notice) => void, scheduler: SchedulerLike): Report {
  const windows = new Map<string, { start: number; count: number }>()
  const latest = new Map<string, string>()
  return (code, message, peer, cause) => {
    if (peer !== undefined) {
      if (code === 'peer-unreachable' && latest.get(peer) === message) return
      latest.set(peer, message)
    }
    const key = `${code} ${peer ?? ''}`
    const now = scheduler.now()
    const last = windows.get(key)
    const isOver = last === undefined || Math.abs(now - last.start) >= WINDOW_MS
    const window = isOver ? { start: now, count: 0 } : last
    windows.set(key, window)
    window.count++
    if (window.count > PER_WINDOW) return
    const missed = isOver && last !== undefined ? last.count - PER_WINDOW : 0
    emit({
      type: 'notice',
      source: 'transport',
      code,
      message: missed > 0 ? `${message} (and ${missed} more that were not told)` : message,
      ...(peer === undefined ? {} : { peer }),
      ...(cause === undefined ? {} : { cause }),
    })
  }
}

/** Reports what went wrong with a connection, in words that say with whom. */
export function reportFailure(report: Report, who: string, error: unknown, peer?: string): void {
  const failure =
    error instanceof Failure
      ? error
      : new Failure('peer-refused', error instanceof Error ? error.message : String(error), {
          cause: error,
        })
  report(failure.code, `${who}: ${failure.message}`, peer, failure.cause)
}
