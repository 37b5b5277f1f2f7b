import {
  catchError,
  concatMap,
  defer,
  EMPTY,
  last,
  map,
  of,
  retry,
  switchMap,
  takeUntil,
  throwError,
  timer,
  VirtualTimeScheduler,
  type Observable,
} from 'rxjs'
import { Stopped } from '../../lib/errors.ts'
import type { Progress, RaftNode } from '../../operators/engine/node.ts'
import { cluster, seeded, type Cluster } from '../../testing/index.ts'
import { PEACE, WAR, war } from './war.ts'

type Words = readonly string[]
type Notebook = RaftNode<string, number, 'all', Words>
type Servers = Cluster<string, number, 'all', Words>

/** Words are written down one after the other; the answer is the word's place. */
const notebook = {
  initial: [] as Words,
  apply: (words: Words, word: string) => [[...words, word], words.length + 1] as const,
  query: (words: Words, _: 'all') => words,
}

export interface Retrying {
  /** What each word was answered, which may be nothing where its server was stopped. */
  readonly answers: ReadonlyMap<string, number | undefined>
  /** What stands in each server's notebook in the end. */
  readonly written: readonly Words[]
  /** Servers took over a snapshot so often. */
  readonly installs: number
}

/**
 * Clients write words into a cluster whose servers crash, restart and are cut off, with snapshots all the
 * time, and try each again until it is answered: some under a name of their own, on any server, the
 * others with one server's.
 */
export function retrying(seed: number, { forward = false } = {}): Retrying {
  const scheduler = new VirtualTimeScheduler()
  const random = seeded(seed)
  const ids = ['a', 'b', 'c']
  const servers: Servers = cluster({
    ids,
    machine: notebook,
    forward,
    ...{ electionTimeout: [30, 60], heartbeat: 10, snapshotEntries: 15, snapshotTailBytes: 0 },
    ...war({ ids, scheduler, random, crashEvery: 110 }),
    ...{ scheduler, seed },
  })
  let installs = 0
  for (const id of ids) servers.watch(id, (it) => it.restored$).subscribe(() => installs++)
  const answers = new Map<string, number | undefined>()
  const pick = (): Notebook => servers.node(ids[Math.floor(random() * ids.length)]!)
  const write: Write = (word, attempt, isHopeless = () => false) => {
    answers.set(word, undefined)
    answered(attempt, isHopeless, scheduler).subscribe((place) => answers.set(word, place))
  }
  byAnybody(pick, write, scheduler)
  byOneServer(pick, write, scheduler)
  let written: Words[] = []
  timer(WAR + PEACE - 1, scheduler)
    .pipe(
      concatMap(() => ids),
      concatMap((id) => servers.node(id).query('all', { consistency: 'stale' })),
    )
    .subscribe((words) => (written = [...written, words]))
  servers.connect(timer(WAR + PEACE, scheduler))
  scheduler.flush()
  return { answers, written, installs }
}

type Write = (
  word: string,
  attempt: () => Observable<Progress<number>>,
  isHopeless?: (error: unknown) => boolean,
) => void

/** A client with a session of its own, whose words go to any server. */
function byAnybody(pick: () => Notebook, write: Write, scheduler: VirtualTimeScheduler): void {
  const open = new Set<number>()
  const opened$ = timer(30, scheduler).pipe(
    switchMap(() => defer(() => pick().session())),
    again(scheduler),
  )
  const number$ = timer(0, 7, scheduler).pipe(takeUntil(timer(WAR, scheduler)))
  opened$
    .pipe(switchMap((session) => number$.pipe(map((sequence) => ({ session, sequence })))))
    .subscribe(({ session, sequence }) => {
      open.add(sequence)
      const lowest = Math.min(...open)
      const request = { session, sequence, lowest }
      write(`any ${sequence}`, () =>
        pick()
          .propose(`any ${sequence}`, { request, timeout: 40 })
          .pipe(
            map((progress) => {
              if (progress.type === 'applied') open.delete(sequence)
              return progress
            }),
          ),
      )
    })
}

/** Words that each go to one life of one server, which is asked again and again. */
function byOneServer(pick: () => Notebook, write: Write, scheduler: VirtualTimeScheduler): void {
  timer(30, 7, scheduler)
    .pipe(takeUntil(timer(WAR, scheduler)))
    .subscribe((i) => {
      const proposal$ = pick().propose(`one ${i}`, { timeout: 40 })
      // A server that is stopped answers nobody any more.
      write(
        `one ${i}`,
        () => proposal$,
        (error) => error instanceof Stopped,
      )
    })
}

/** The answer, however often it takes. */
const answered = (
  attempt: () => Observable<Progress<number>>,
  isHopeless: (error: unknown) => boolean,
  scheduler: VirtualTimeScheduler,
): Observable<number> =>
  defer(attempt).pipe(
    last(),
    concatMap((end) => {
      if (end.type === 'applied') return of(end.result)
      return throwError(() => (end.type === 'abandoned' ? end.reason : new Error(end.type)))
    }),
    again(scheduler, isHopeless),
    catchError(() => EMPTY),
    takeUntil(timer(WAR + PEACE - 2, scheduler)),
  )

/** Tries again a little later, for as long as somebody else may answer. */
const again = <T>(scheduler: VirtualTimeScheduler, isHopeless = (_: unknown): boolean => false) =>
  retry<T>({
    delay: (error: unknown) => (isHopeless(error) ? throwError(() => error) : timer(5, scheduler)),
  })
