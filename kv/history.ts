import { asapScheduler, audit, filter, map, scheduled, Subject, type Observable } from 'rxjs'
import type { Applied, AppliedBatch, Index, Trace } from 'rxraft'
import { Chapter, type Change } from './chapter.ts'
import type { Command, Result, StoreNode } from './machine.ts'

export type { Change } from './chapter.ts'

export interface HistoryLimits {
  /** Changes to keep, the newest, and those of the same batch of the log. Default 100,000. */
  readonly changes?: number
  /** Bytes of the log to keep; the newest batch is kept in any case. Default 64 MiB. */
  readonly bytes?: number
}

/**
 * The newest changes in order, for those who watch: bounded, and shared by all of them. What is kept is the log's own batches,
 * with what had no effect in them: nothing is done for a change until somebody reads it. A reader holds no more than a
 * position, which counts the changes since the start.
 */
export class History {
  /** Emits after changes were added or jumped over, once for all that came together; completes with the node. */
  readonly grown$: Observable<void>

  readonly #grown$ = new Subject<void>()
  readonly #maxChanges: number
  readonly #maxBytes: number
  #chapters: Chapter[] = []
  /** Chapters at the start that are gone. */
  #gone = 0
  /** Position of the first change that is kept, and of the one after the last. */
  #offset = 0
  #end = 0
  #bytes = 0
  /** The chapter that was read last, since many read the newest one. */
  #open: { readonly chapter: Chapter; readonly changes: readonly Change[] } | undefined
  #first: Index = 1
  #last: Index = 0

  /** Must be there before the node connects, so that it misses nothing. */
  constructor(
    { trace$, restored$ }: Pick<StoreNode, 'trace$' | 'restored$'>,
    limits: HistoryLimits = {},
  ) {
    this.#maxChanges = limits.changes ?? 100_000
    this.#maxBytes = limits.bytes ?? 64 * 1024 * 1024
    this.grown$ = this.#grown$.pipe(audit(() => scheduled([undefined], asapScheduler)))
    restored$.subscribe({ next: (through) => this.#jump(through), error: () => undefined })
    trace$
      .pipe(
        filter(isStep),
        map(({ step }) => step.applied),
      )
      .subscribe({
        next: (batches) => batches.forEach((batch) => this.#add(batch)),
        error: () => this.#grown$.complete(),
        complete: () => this.#grown$.complete(),
      })
  }

  /** From this index on no change is missing. */
  get first(): Index {
    return this.#first
  }

  /** The newest command, whether it changed anything or not. */
  get last(): Index {
    return this.#last
  }

  /** The position after the newest change. */
  get end(): number {
    return this.#end
  }

  /** The change at a position; `undefined` when it is no longer kept, or is still to come. */
  at(position: number): Change | undefined {
    if (!(position >= this.#offset && position < this.#end)) return undefined
    const open = this.#open?.chapter
    const isOpen = open !== undefined && position >= open.start && position < open.end
    const chapter = isOpen ? open : this.#chapterWhere(({ end }) => end > position)!
    return this.#read(chapter)[position - chapter.start]
  }

  /** The position of the first kept change whose index is at least `from`. */
  seek(from: Index): number {
    const chapter = this.#chapterWhere(({ last }) => last >= from)
    if (chapter === undefined) return this.#end
    const at = this.#read(chapter).findIndex(({ version }) => version >= from)
    return at < 0 ? chapter.end : chapter.start + at
  }

  #read(chapter: Chapter): readonly Change[] {
    if (this.#open?.chapter !== chapter) this.#open = { chapter, changes: chapter.read() }
    return this.#open.changes
  }

  #add({ batch, outcomes }: AppliedBatch): void {
    const applied = outcomes as readonly Applied<Command, Result>[]
    const last = applied.at(-1)
    if (last === undefined || last.index < this.#first) return
    this.#last = last.index
    const chapter = new Chapter(batch, applied, this.#end)
    if (chapter.end === this.#end) return
    this.#chapters.push(chapter)
    this.#end = chapter.end
    this.#bytes += chapter.bytes
    while (this.#isFull()) this.#forget()
    this.#grown$.next()
  }

  /** A snapshot stands for everything through this index: what changed there is not told. */
  #jump(through: Index): void {
    if (through <= this.#last) return
    // One position is skipped: who waits there finds nothing, and so hears of the gap.
    this.#offset = ++this.#end
    this.#chapters = []
    this.#open = undefined
    this.#gone = 0
    this.#bytes = 0
    this.#first = through + 1
    this.#last = through
    this.#grown$.next()
  }

  #isFull(): boolean {
    const oldest = this.#chapters[this.#gone]!
    if (oldest.end === this.#end) return false
    return this.#end - oldest.end >= this.#maxChanges || this.#bytes > this.#maxBytes
  }

  #forget(): void {
    const { end, last, bytes } = this.#chapters[this.#gone++]!
    this.#offset = end
    this.#first = last + 1
    this.#bytes -= bytes
    if (this.#gone < this.#chapters.length / 2) return
    this.#chapters = this.#chapters.slice(this.#gone)
    this.#gone = 0
  }

  /** The first chapter of which `isReached` holds, as it does of all behind it. */
  #chapterWhere(isReached: (chapter: Chapter) => boolean): Chapter | undefined {
    let low = this.#gone
    let high = this.#chapters.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isReached(this.#chapters[middle]!)) high = middle
      else low = middle + 1
    }
    return this.#chapters[low]
  }
}

const isStep = (trace: Trace): trace is Extract<Trace, { type: 'step' }> => trace.type === 'step'
