import { commandsIn, type Applied, type AppliedBatch, type Commit, type Index } from 'rxraft'
import { commandCodec } from './codec.ts'
import type { Command, Result, Version } from './machine.ts'

/** A write that took effect. */
export type Change =
  | {
      readonly type: 'put'
      readonly key: string
      /** Not to be written to. */
      readonly value: Uint8Array
      readonly version: Version
    }
  | Deletion

interface Deletion {
  readonly type: 'delete'
  readonly key: string
  readonly version: Version
  /** Whether the key's time had come. */
  readonly expired?: true
  /** Whether another key went with the same entry, and comes after this one. */
  readonly more?: true
}

/** A batch of the log as a run of changes, which are found in its bytes again when they are read. */
export class Chapter {
  /** The position after its last change. */
  readonly end: number
  /** The keys that are gone by it, or none, for each entry that is not simply a write that took effect. */
  readonly #others: ReadonlyMap<Index, readonly string[]>

  constructor(
    private readonly batch: AppliedBatch['batch'],
    applied: readonly Applied<Command, Result>[],
    /** The position of its first change. */
    readonly start: number,
  ) {
    this.#others = othersIn(batch, applied)
    let count = batch.count
    for (const { length } of this.#others.values()) count += length - 1
    this.end = start + count
  }

  /** The last entry. */
  get last(): Index {
    return this.batch.index + this.batch.count - 1
  }

  get bytes(): number {
    return this.batch.bytes.length
  }

  read(): readonly Change[] {
    return commandsIn(this.batch, codec).flatMap((commit) => {
      const expired = this.#others.get(commit.index)
      return expired === undefined ? changeBy(commit) : expired.map(toExpiry(commit))
    })
  }
}

const codec = commandCodec()

function othersIn(
  { index: first, count }: AppliedBatch['batch'],
  applied: readonly Applied<Command, Result>[],
): ReadonlyMap<Index, readonly string[]> {
  let others: Map<Index, readonly string[]> | undefined
  let next = 0
  for (let index = first; index < first + count; index++) {
    // What was asked for a second time was not applied.
    const one = applied[next]?.index === index ? applied[next++] : undefined
    const result = one?.ok === true && one.result.ok ? one.result : undefined
    if (result === undefined || result.first !== undefined || result.expired !== undefined) {
      others ??= new Map()
      others.set(index, result?.expired ?? NONE)
    }
  }
  return others ?? NO_OTHERS
}

const NONE: readonly string[] = []
const NO_OTHERS: ReadonlyMap<Index, readonly string[]> = new Map()

function changeBy({ index: version, command }: Commit<Command>): Change {
  const write = command[0] === 'once' ? command[3] : command
  switch (write[0]) {
    case 'put':
      return { type: 'put', key: write[1], value: write[2], version }
    case 'delete':
      return { type: 'delete', key: write[1], version }
    case 'time':
      throw new TypeError('time has passed without an account of it')
  }
}

const toExpiry =
  ({ index: version }: Commit<Command>) =>
  (key: string, i: number, keys: readonly string[]): Change =>
    i < keys.length - 1
      ? { type: 'delete', key, version, expired: true, more: true }
      : { type: 'delete', key, version, expired: true }
