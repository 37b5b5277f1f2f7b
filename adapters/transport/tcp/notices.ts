import type { SchedulerLike } from 'rxjs'
import type { Notice } from '../../../lib/storage.ts'
import { Failure } from './failure.ts'

const WINDOW_MS = 1_000
const PER_WINDOW = 5

export type Report = (code: string, message: string, peer?: string, cause?: unknown) => void

/** What was told about one peer, or about nobody whose name is known. */
interface Told {
  readonly windows: Map<string, { start: number; count: number }>
  latest: string | undefined
}

/** What went wrong with whom, told in measure. */
interface Notices {
  readonly report: Report
  /** Frees what is remembered of a peer. */
  readonly forget: (peer: string) => void
}

/**
 * Reports become notices, at most five a second of one kind about one peer: a stranger that knocks a
 * thousand times a second is told of, and does not fill a disk with it. That a peer cannot be reached
 * is told once, until there is something else to tell of it.
 */
export function notices(emit: (notice: Notice) => void, scheduler: SchedulerLike): Notices {
  const told = new Map<string | undefined, Told>()
  const report: Report = (code, message, peer, cause) => {
    const about = told.get(peer) ?? { windows: new Map<string, never>(), latest: undefined }
    told.set(peer, about)
    if (peer !== undefined) {
      if (code === 'peer-unreachable' && about.latest === message) return
      about.latest = message
    }
    const now = scheduler.now()
    const last = about.windows.get(code)
    const isOver = last === undefined || Math.abs(now - last.start) >= WINDOW_MS
    const window = isOver ? { start: now, count: 0 } : last
    about.windows.set(code, window)
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
  return { report, forget: (peer) => told.delete(peer) }
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
