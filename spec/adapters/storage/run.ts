import { Subject } from 'rxjs'
import { lastIndexOf, pack, unpack, type Batch, type Kind } from '../../../lib/batch.ts'
import type { DiskFact, DiskRequest, Notice, Restored, Save, Saved } from '../../../lib/storage.ts'
import type { Storage } from '../../../operators/adapters.ts'

/** A subscribed storage, and what it has said so far. */
export interface Run {
  readonly said: readonly DiskFact[]
  readonly saved: readonly Saved[]
  /** Everything about snapshots. */
  readonly pieces: readonly Piece[]
  readonly notices: readonly Notice[]
  readonly save$: Subject<DiskRequest>
  /** Waits for `Restored`; rejects with the stream's error. */
  restored(): Promise<Restored>
  /** Waits for this many `Saved`; rejects with the stream's error. */
  acknowledged(count: number): Promise<void>
  /** Waits for this many answers about snapshots and gives the last of them. */
  answered(count: number): Promise<Piece>
  /** Waits for the end of the stream: resolves with its error, or `undefined` when it completed. */
  ended(): Promise<unknown>
  stop(): void
}

/** What a storage says of snapshots. */
export type Piece = Extract<DiskFact, { type: `chunk${string}` }>

const isPiece = (fact: DiskFact): fact is Piece => fact.type.startsWith('chunk')

/** Subscribes to a storage. `early` is what it is given at once. */
export function run(storage: Storage, early: readonly DiskRequest[] = []): Run {
  const said: DiskFact[] = []
  const save$ = new Subject<DiskRequest>()
  const checks = new Set<() => void>()
  let end: { readonly error: unknown } | undefined
  const recheck = (): void => checks.forEach((check) => check())
  const finish = (error?: unknown): void => {
    end = { error }
    recheck()
  }
  const subscription = storage(save$).subscribe({
    next: (event) => {
      said.push(event)
      recheck()
    },
    error: finish,
    complete: () => finish(),
  })
  for (const save of early) save$.next(save)

  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (isSo()) resolve()
        else if (end !== undefined) reject(asError(end.error))
        else return
        checks.delete(check)
      }
      checks.add(check)
      check()
    })
  const saved = (): Saved[] => said.filter((it) => it.type === 'saved')
  return {
    said,
    save$,
    get saved() {
      return saved()
    },
    get pieces() {
      return said.filter(isPiece)
    },
    get notices() {
      return said.filter((it) => it.type === 'notice')
    },
    async restored() {
      const find = (): Restored | undefined => said.find((it) => it.type === 'restored')
      await until(() => find() !== undefined)
      return find()!
    },
    acknowledged: (count) => until(() => saved().length >= count),
    async answered(count) {
      await until(() => said.filter(isPiece).length >= count)
      return said.filter(isPiece)[count - 1]!
    },
    async ended() {
      await until(() => end !== undefined)
      return end!.error
    },
    stop: () => subscription.unsubscribe(),
  }
}

/** Subscribes, takes what was restored, and stops. */
export async function reopen(storage: Storage): Promise<Restored & { readonly notices: Notice[] }> {
  const it = run(storage)
  try {
    const restored = await it.restored()
    return { ...restored, notices: [...it.notices] }
  } finally {
    it.stop()
  }
}

/** Subscribes, saves all of it, waits until it is durable, and stops. */
export async function saveAll(storage: Storage, saves: readonly Save[]): Promise<void> {
  const it = run(storage)
  await it.restored()
  for (const save of saves) it.save$.next(save)
  await it.acknowledged(saves.length)
  it.stop()
}

export function batch(index: number, term: number, texts: string[], kind: Kind = 'command'): Batch {
  const bytes = pack(texts.map((text) => new TextEncoder().encode(text)))
  return { index, term, kind, count: texts.length, bytes }
}

export const save = (
  sequence: number,
  term: number,
  vote: string | undefined,
  ...batches: Batch[]
): Save => ({ type: 'save', sequence, term, vote, batches })

/** Entries one by one, whatever the batches they came in: `index@term kind text`. */
export const entriesOf = (batches: readonly Batch[]): string[] =>
  batches.flatMap((it) =>
    unpack(it).map(
      (bytes, i) =>
        `${it.index + i}@${it.term} ${it.kind} ${Buffer.from(bytes).toString('latin1')}`,
    ),
  )

/** The same for what a log is after some saves, computed in the most obvious way. */
export function logAfter(saves: readonly Save[]): string[] {
  let log: string[] = []
  for (const it of saves.flatMap(({ batches }) => batches)) {
    log = [...log.slice(0, it.index - 1), ...entriesOf([it])]
  }
  return log
}

/** Whether the batches lie end to end from an index on. */
export const areConsecutive = (batches: readonly Batch[], first = 1): boolean =>
  batches.every((it, i) => it.index === (i === 0 ? first : lastIndexOf(batches[i - 1]!) + 1))

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error('the storage completed too early')
