import { Observable, type Subscriber } from 'rxjs'
import { CorruptLog, StorageError } from '../../lib/errors.ts'
import type {
  DiskFact,
  DiskRequest,
  Forget,
  ReadChunk,
  Save,
  WriteChunk,
} from '../../lib/storage.ts'
import type { Mark, Millis, NodeId } from '../../lib/types.ts'
import type { Storage } from '../../operators/adapters.ts'
import type { Chance } from './chance.ts'
import type { VirtualClock } from './clock.ts'
import type { Task } from './heap.ts'
import { Platter } from './platter.ts'
import { Shelf } from './shelf.ts'

/** What the disk tells of itself. */
export interface DiskWitness {
  /** What it would give back has changed, in words: a save is durable, a part of one, or a snapshot. */
  durable(what: string): void
  wiped(): void
  /** A fault that was only prepared has hit a write. */
  struck(fault: 'failFsync' | 'fillDisk' | 'garbleChunk'): void
}

/** How long a sync takes, in ms. */
export type SyncTime = (chance: Chance) => Millis

/** A solid-state disk: 0.2 ms to 1 ms, and now and then 5 ms. */
const ssd: SyncTime = (chance) => (chance.is(0.02) ? chance.between(2, 5) : chance.between(0.2, 1))

/** One opening of the disk by a server. */
interface Handle {
  readonly subscriber: Subscriber<DiskFact>
  readonly post: (run: () => void) => void
}

/** A piece of a snapshot that is read, in bytes. */
const PIECE = 4096

/** Forgotten entries are there for a while: so often they go at once. */
const TIDY = 0.5

/**
 * A disk in virtual time. Saves that arrive while it syncs share the next sync; what was not synced when
 * the power fails is lost, or torn. Snapshots have a time of their own.
 */
export class SimulatedDisk {
  readonly platter = new Platter()
  readonly #shelf: Shelf
  #isUnreadable = false
  #handle: Handle | undefined
  /** Written and not synced, oldest first; the first `#syncing` of them wait for the sync under way. */
  #unsynced: Save[] = []
  #syncing = 0
  #sync: Task | undefined
  #slowness: Millis = 0
  #isStalled = false
  #isFull = false
  #isShort = false
  #failsNext: { readonly keep: number } | undefined
  #disturbsNext: (() => void) | undefined
  readonly #disturbances = new Set<Task>()
  #disturbsPiece: { readonly disturb: () => void; readonly isEnd: boolean } | undefined

  constructor(
    readonly id: NodeId,
    private readonly clock: VirtualClock,
    private readonly chance: Chance,
    private readonly witness: DiskWitness,
    private readonly syncTime: SyncTime = ssd,
    pieceBytes = PIECE,
  ) {
    const host = {
      time: (request: WriteChunk | ReadChunk) => this.#begin(request),
      isFull: () => this.#isFull,
      failsSync: () => this.#failsSync(),
      failRead: () => this.#fail(this.#corrupt('snapshot'), 1),
      answer: (fact: DiskFact) => {
        if (fact.type === 'chunkRefused' && this.#isFull) witness.struck('fillDisk')
        this.#tell(fact)
      },
      stored: ({ index, term }: Mark) => witness.durable(`has snapshot ${index}@${term}`),
      garbled: () => witness.struck('garbleChunk'),
    }
    this.#shelf = new Shelf(clock, this.platter, host, pieceBytes)
  }

  /** Nobody can read it any more. */
  get isCorrupt(): boolean {
    return this.#isUnreadable || this.platter.isDamaged
  }

  /** Snapshots that became whole here: its server's own, and those of others. */
  get snapshots(): Shelf['counts'] {
    return this.#shelf.counts
  }

  /** The storage of a server, whose mail goes through `post`. */
  open(post: (run: () => void) => void): Storage {
    return (requests) =>
      new Observable<DiskFact>((subscriber) => {
        const handle: Handle = { subscriber, post }
        this.#handle = handle
        const opening = this.clock.after(this.syncTime(this.chance), () => {
          post(() => this.#restore(handle))
        })
        subscriber.add(() => {
          this.clock.cancel(opening)
          if (this.#handle === handle) this.#handle = undefined
        })
        subscriber.add(
          requests.subscribe({
            next: (request) => {
              if (this.#handle === handle) this.#take(request)
            },
            error: (error: unknown) => subscriber.error(error),
          }),
        )
      })
  }

  slow(ms: Millis): void {
    this.#slowness = ms
  }

  stall(isStalled: boolean): void {
    this.#isStalled = isStalled
    // What holds up the log may or may not hold up the snapshots beside it.
    this.#shelf.stall(isStalled && this.chance.is(0.5))
    if (!isStalled && this.#syncing > 0 && this.#sync === undefined) this.#startSync()
  }

  fill(isFull: boolean): void {
    this.#isFull = isFull
  }

  /** There is no room for new entries, or there is again: whoever uses the disk is told, also when it starts. */
  runShort(isShort: boolean): void {
    if (isShort === this.#isShort) return
    this.#isShort = isShort
    this.#tell({ type: 'space', isShort })
  }

  /** The next sync fails. Of what was not synced, the part `keep` is there afterwards. */
  failNextSync(keep: number): void {
    this.#failsNext = { keep }
  }

  /** Calls `disturb` in the middle of a sync: now if one is due, else in the next. */
  duringSync(disturb: () => void): void {
    if (this.#unsynced.length > 0) disturb()
    else this.#disturbsNext = disturb
  }

  /**
   * Calls `disturb` in the middle of the next piece of a snapshot that is written or read, or, if it is to be
   * the end, of the next one that ends another server's snapshot.
   */
  duringPiece(disturb: () => void, isEnd: boolean): void {
    this.#disturbsPiece = { disturb, isEnd }
  }

  /** A bit flips in the next snapshot of another server, on its way to this disk. */
  garbleNext(): void {
    this.#shelf.garbleNext(true)
  }

  /** A bit of the log flips: nobody can read it any more. */
  flipBit(): void {
    this.#isUnreadable = true
  }

  /** A bit of the snapshot flips, if there is one: whoever reads it next cannot. */
  flipSnapshot(): boolean {
    this.platter.isDamaged = this.platter.snapshot !== undefined
    return this.platter.isDamaged
  }

  /**
   * The server is down: of what was not synced, the part `keep` is there afterwards. A snapshot that is all
   * written is there as often.
   */
  lose(keep: number): void {
    this.#calm()
    if (this.#sync !== undefined) this.clock.cancel(this.#sync)
    const unsynced = this.#unsynced
    this.#sync = undefined
    this.#syncing = 0
    this.#unsynced = []
    this.#handle = undefined
    this.#shelf.lose(() => this.chance.is(keep))
    for (const save of torn(unsynced, keep)) this.#makeDurable(save)
  }

  wipe(): void {
    this.platter.wipe()
    this.witness.wiped()
  }

  /** All is well again, except for what is lost. */
  repair(): void {
    this.#failsNext = undefined
    this.#disturbsNext = undefined
    this.#disturbsPiece = undefined
    this.#shelf.garbleNext(false)
    this.#calm()
    this.slow(0)
    this.fill(false)
    this.runShort(false)
    this.stall(false)
  }

  #restore({ subscriber }: Handle): void {
    if (this.isCorrupt) return subscriber.error(this.#corrupt('disk'))
    subscriber.next(this.platter.read())
    if (this.#isShort) subscriber.next({ type: 'space', isShort: true })
  }

  #take(request: DiskRequest): void {
    switch (request.type) {
      case 'save':
        return this.#save(request)
      case 'writeChunk':
        return this.#shelf.write(request)
      case 'readChunk':
        return this.#shelf.read(request)
      case 'forget':
        return this.#forget(request)
    }
  }

  /** Sooner or later; what is still needed is not asked to be forgotten. */
  #forget({ before }: Forget): void {
    try {
      if (this.chance.is(TIDY)) this.platter.forget(before)
    } catch (error) {
      this.#fail(error, 1)
    }
  }

  #save(save: Save): void {
    if (this.#isFull) {
      this.witness.struck('fillDisk')
      return this.#fail(new StorageError('no space left on the disk'), 0)
    }
    this.#unsynced.push(save)
    if (this.#syncing === 0) this.#beginSync()
  }

  #beginSync(): void {
    this.#syncing = this.#unsynced.length
    if (this.#syncing > 0 && !this.#isStalled) this.#startSync()
  }

  #startSync(): void {
    this.#sync = this.clock.after(this.#begin(), () => this.#endSync())
  }

  /** How long what begins now takes; what is to disturb it comes in the middle. */
  #begin(piece?: WriteChunk | ReadChunk): Millis {
    const time = this.syncTime(this.chance) + this.#slownessOf(piece)
    const disturb = piece === undefined ? this.#disturbanceOfSync() : this.#disturbanceOf(piece)
    if (disturb === undefined) return time
    this.#disturbances.add(this.clock.after(time * this.chance.next(), disturb))
    return time
  }

  /** Pieces are held up as long as syncs at most, and often less. */
  #slownessOf(piece: WriteChunk | ReadChunk | undefined): Millis {
    if (this.#slowness === 0 || piece === undefined) return this.#slowness
    return this.#slowness * this.chance.next()
  }

  #disturbanceOfSync(): (() => void) | undefined {
    const disturb = this.#disturbsNext
    this.#disturbsNext = undefined
    return disturb
  }

  #disturbanceOf(piece: WriteChunk | ReadChunk): (() => void) | undefined {
    const isEnd = piece.type === 'writeChunk' && piece.checksum !== undefined
    if (this.#disturbsPiece === undefined || (this.#disturbsPiece.isEnd && !isEnd)) return undefined
    const { disturb } = this.#disturbsPiece
    this.#disturbsPiece = undefined
    return disturb
  }

  #endSync(): void {
    this.#sync = undefined
    if (this.#handle === undefined || this.#isStalled || this.#failsSync()) return
    const synced = this.#unsynced.splice(0, this.#syncing)
    for (const save of synced) this.#makeDurable(save)
    this.#beginSync()
    for (const { sequence, term } of synced) this.#tell({ type: 'saved', sequence, term })
  }

  /** What was to disturb it comes no more. */
  #calm(): void {
    for (const task of this.#disturbances) this.clock.cancel(task)
    this.#disturbances.clear()
  }

  #failsSync(): boolean {
    if (this.#failsNext === undefined) return false
    const { keep } = this.#failsNext
    this.#failsNext = undefined
    this.witness.struck('failFsync')
    this.#fail(new StorageError('the sync failed'), keep)
    return true
  }

  #tell(fact: DiskFact): void {
    const handle = this.#handle
    handle?.post(() => handle.subscriber.next(fact))
  }

  #fail(error: unknown, keep: number): void {
    const handle = this.#handle
    this.lose(keep)
    handle?.post(() => handle.subscriber.error(error))
  }

  #corrupt(what: string): CorruptLog {
    const remedy = 'Remove this server from the cluster and add it again under a new id.'
    return new CorruptLog(`${what} of ${this.id}`, 0, 'bad checksum', remedy)
  }

  #makeDurable(save: Save): void {
    this.platter.write(save)
    const { term, vote, lastIndex } = this.platter
    const saved = `${save.sequence}+${save.batches.length}`
    this.witness.durable(`saved ${saved} ${term} ${vote ?? '-'} ${lastIndex}`)
  }
}

/** The first part of some saves: cut between two batches, each save's ballot before its batches. */
function torn(saves: readonly Save[], keep: number): Save[] {
  const size = saves.reduce((sum, save) => sum + unitsOf(save), 0)
  let left = Math.floor(keep * size + 1e-9)
  const parts: Save[] = []
  for (const save of saves) {
    if (left === 0) break
    const { reset, ...rest } = save
    const units = Math.min(unitsOf(save), left)
    // First the ballot, then that the log begins anew, then its entries.
    const head = reset === undefined ? 1 : 2
    const batches = save.batches.slice(0, Math.max(0, units - head))
    parts.push({ ...rest, batches, ...(reset !== undefined && units >= head && { reset }) })
    left -= units
  }
  return parts
}

const unitsOf = ({ reset, batches }: Save): number => (reset === undefined ? 1 : 2) + batches.length
