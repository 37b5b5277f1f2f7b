import type { Batch } from '../../lib/batch.ts'
import type { Envelope } from '../../lib/messages.ts'
import type { Answer } from '../../lib/turn.ts'
import type { NodeId } from '../../lib/types.ts'
import { namesOf, type Bounds } from './bounds.ts'
import { encode, hashesOf, renamings, type Hashes, type Renaming } from './encode.ts'
import { start, survivors, turn, type Disk, type Fact, type Reduce, type Server } from './server.ts'
import { findInServer, findInTurn, type Finding } from './invariants.ts'

/** A server in one of its states, which exists once, however many clusters it is part of. */
export interface Local {
  readonly number: number
  readonly server: Server
  readonly hashes: Hashes
  /** The entries in memory and on disk, each as a text. */
  readonly memory: Entries
  readonly durable: Entries
  readonly findings: readonly Finding[]
  /** What came of each turn that was tried. */
  readonly turns: Map<string, Outcome>
}

/** A log's entries; equal ones are the same object. */
export interface Entries {
  readonly number: number
  readonly list: readonly Entry[]
}

export interface Entry {
  readonly term: number
  readonly text: string
}

/** A message in flight. */
export interface Letter {
  readonly number: number
  readonly envelope: Envelope
  readonly hashes: Hashes
}

export interface Outcome {
  readonly local: Local
  readonly sent: readonly Letter[]
  readonly answers: readonly Answer[]
  readonly findings: readonly Finding[]
}

/**
 * Everything met so far, each once: the states of servers, the messages, the turns. Because the engine
 * is a pure function of one server's state and its events, a turn is computed once and looked up in
 * every other cluster that it happens in.
 */
export class Universe {
  readonly names: readonly NodeId[]
  readonly renamings: readonly Renaming[]
  readonly #identity: Renaming
  readonly #locals = new Map<string, Local>()
  readonly #restarts = new Map<Local, readonly Local[]>()
  readonly #letters = new Map<string, Letter>()
  readonly #logs = new Map<string, Entries>()

  constructor(
    readonly reduce: Reduce,
    readonly bounds: Bounds,
  ) {
    this.names = namesOf(bounds)
    this.renamings = renamings(this.names)
    this.#identity = this.renamings[0]!
  }

  get locals(): number {
    return this.#locals.size
  }

  started(id: NodeId, disk?: Disk): Local {
    return this.#local(start(this.reduce, this.bounds, id, disk))
  }

  /** What a server may be after a crash and a restart. */
  restarted(local: Local): readonly Local[] {
    const known = this.#restarts.get(local)
    if (known !== undefined) return known
    const { server } = local
    const restarts = [...new Set(survivors(server).map((disk) => this.started(server.id, disk)))]
    this.#restarts.set(local, restarts)
    return restarts
  }

  turn(local: Local, key: string, facts: readonly Fact[]): Outcome {
    const known = local.turns.get(key)
    if (known !== undefined) return known
    const outcome = this.#try(local, facts)
    local.turns.set(key, outcome)
    return outcome
  }

  #try(local: Local, facts: readonly Fact[]): Outcome {
    try {
      const turned = turn(this.reduce, local.server, facts, this.bounds.reads === 0)
      return {
        local: this.#local(turned.server),
        sent: turned.sent.map((envelope) => this.#letter(envelope)),
        answers: turned.answers,
        findings: findInTurn(local.server, turned),
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const findings: readonly Finding[] = [
        { invariant: 'engine', message: `it threw: ${message}` },
      ]
      return { local, sent: [], answers: [], findings }
    }
  }

  #local(server: Server): Local {
    const text = encode(server, this.#identity)
    const known = this.#locals.get(text)
    if (known !== undefined) return known
    const { cells, length } = server.state.log
    const local: Local = {
      number: this.#locals.size,
      server,
      hashes: hashesOf(server, this.renamings),
      memory: this.#entries(cells.slice(0, length)),
      durable: this.#entries(server.disk.batches),
      findings: findInServer(server),
      turns: new Map(),
    }
    this.#locals.set(text, local)
    return local
  }

  #letter(envelope: Envelope): Letter {
    const text = encode(envelope, this.#identity)
    const known = this.#letters.get(text)
    if (known !== undefined) return known
    const hashes = hashesOf(envelope, this.renamings)
    const letter = { number: this.#letters.size, envelope, hashes }
    this.#letters.set(text, letter)
    return letter
  }

  #entries(batches: readonly Batch[]): Entries {
    const list = batches.flatMap(entriesOf)
    const text = list.map((entry) => entry.text).join()
    const known = this.#logs.get(text)
    if (known !== undefined) return known
    const entries = { number: this.#logs.size, list }
    this.#logs.set(text, entries)
    return entries
  }
}

/** All batches here hold one entry: the explorer proposes one command at a time. */
function entriesOf({ term, kind, count, bytes }: Batch): readonly Entry[] {
  if (count !== 1) throw new Error('the explorer expects batches of one entry')
  const text = kind === 'noop' ? `noop@${term}` : `x${bytes.at(-1)}@${term}`
  return [{ term, text }]
}
