import { Observable, type Subscriber } from 'rxjs'
import { CorruptLog, StorageError } from '../../lib/errors.ts'
import type { Restored, Save, Saved } from '../../lib/storage.ts'
import type { Millis, NodeId } from '../../lib/types.ts'
import type { Storage } from '../../operators/adapters.ts'
import type { Chance } from './chance.ts'
import type { VirtualClock } from './clock.ts'
import type { Task } from './heap.ts'
import { Platter, type Part } from './platter.ts'

/** What the disk tells of itself. */
export interface DiskWitness {
  /** What it would give back has changed: a save is durable, or a part of one. */
  durable(part: Part): void
  wiped(): void
  /** A fault that was only prepared has hit a write. */
  struck(fault: 'failFsync' | 'fillDisk'): void
}

/** How long a sync takes, in ms. */
export type SyncTime = (chance: Chance) => Millis

/** A solid-state disk: 0.2 ms to 1 ms, and now and then 5 ms. */
const ssd: SyncTime = (chance) => (chance.is(0.02) ? chance.between(2, 5) : chance.between(0.2, 1))

/** One opening of the disk by a server. */
interface Handle {
  readonly subscriber: Subscriber<Restored | Saved>
  readonly post: (run: () => void) => void
}

/**
 * A disk in virtual time. Saves that arrive while it syncs share the next sync; what was not synced when
 * the power fails is lost, or torn.
 */
export class SimulatedDisk {
  readonly platter = new Platter()
  /** Nobody can read it any more. */
  isCorrupt = false
  #handle: Handle | undefined
  /** Written and not synced, oldest first; the first `#syncing` of them wait for the sync under way. */
  #unsynced: Save[] = []
  #syncing = 0
  #sync: Task | undefined
  #slowness: Millis = 0
  #isStalled = false
  #isFull = false
  #failsNext: { readonly keep: number } | undefined
  #disturbsNext: (() => void) | undefined
  #disturbance: Task | undefined

  constructor(
    readonly id: NodeId,
    private readonly clock: VirtualClock,
    private readonly chance: Chance,
    private readonly witness: DiskWitness,
    private readonly syncTime: SyncTime = ssd,
  ) {}

  /** The storage of a server, whose mail goes through `post`. */
  open(post: (run: () => void) => void): Storage {
    return (saves) =>
      new Observable<Restored | Saved>((subscriber) => {
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
          saves.subscribe({
            next: (save) => this.#write(handle, save),
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
    if (!isStalled && this.#syncing > 0 && this.#sync === undefined) this.#startSync()
  }

  fill(isFull: boolean): void {
    this.#isFull = isFull
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

  /** The server is down: of what was not synced, the part `keep` is there afterwards. */
  lose(keep: number): void {
    for (const task of [this.#sync, this.#disturbance]) {
      if (task !== undefined) this.clock.cancel(task)
    }
    const unsynced = this.#unsynced
    this.#sync = undefined
    this.#syncing = 0
    this.#unsynced = []
    this.#handle = undefined
    for (const part of torn(unsynced, keep)) this.#makeDurable(part)
  }

  wipe(): void {
    this.platter.wipe()
    this.witness.wiped()
  }

  /** All is well again, except for what is lost. */
  repair(): void {
    this.#failsNext = undefined
    this.#disturbsNext = undefined
    if (this.#disturbance !== undefined) this.clock.cancel(this.#disturbance)
    this.slow(0)
    this.fill(false)
    this.stall(false)
  }

  #restore({ subscriber }: Handle): void {
    if (!this.isCorrupt) return subscriber.next(this.platter.read())
    const remedy = 'Remove this server from the cluster and add it again under a new id.'
    subscriber.error(new CorruptLog(`disk of ${this.id}`, 0, 'bad checksum', remedy))
  }

  #write(handle: Handle, save: Save): void {
    if (this.#handle !== handle) return
    if (this.#isFull) {
      this.witness.struck('fillDisk')
      return this.#fail(handle, 'no space left on the disk', 0)
    }
    this.#unsynced.push(save)
    if (this.#syncing === 0) this.#beginSync()
  }

  #beginSync(): void {
    this.#syncing = this.#unsynced.length
    if (this.#syncing > 0 && !this.#isStalled) this.#startSync()
  }

  #startSync(): void {
    const time = this.syncTime(this.chance) + this.#slowness
    this.#sync = this.clock.after(time, () => this.#endSync())
    if (this.#disturbsNext === undefined) return
    this.#disturbance = this.clock.after(time * this.chance.next(), this.#disturbsNext)
    this.#disturbsNext = undefined
  }

  #endSync(): void {
    this.#sync = undefined
    const handle = this.#handle
    if (handle === undefined || this.#isStalled) return
    if (this.#failsNext !== undefined) {
      const { keep } = this.#failsNext
      this.#failsNext = undefined
      this.witness.struck('failFsync')
      return this.#fail(handle, 'the sync failed', keep)
    }
    const synced = this.#unsynced.splice(0, this.#syncing)
    for (const save of synced) this.#makeDurable({ save, batches: save.batches.length })
    this.#beginSync()
    handle.post(() => {
      for (const { sequence, term } of synced) {
        handle.subscriber.next({ type: 'saved', sequence, term })
      }
    })
  }

  #fail(handle: Handle, message: string, keep: number): void {
    this.lose(keep)
    handle.post(() => handle.subscriber.error(new StorageError(message)))
  }

  #makeDurable(part: Part): void {
    this.platter.write(part)
    this.witness.durable(part)
  }
}

/** The first part of some saves: cut between two batches, each save's ballot before its batches. */
function torn(saves: readonly Save[], keep: number): Part[] {
  const size = saves.reduce((sum, { batches }) => sum + 1 + batches.length, 0)
  let left = Math.floor(keep * size + 1e-9)
  const parts: Part[] = []
  for (const save of saves) {
    if (left === 0) break
    const batches = Math.min(save.batches.length, left - 1)
    parts.push({ save, batches })
    left -= 1 + batches
  }
  return parts
}
