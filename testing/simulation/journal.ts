import type { Envelope } from '../../lib/messages.ts'
import type { Step } from '../../lib/turn.ts'
import type { Millis, NodeId } from '../../lib/types.ts'
import { StorageError } from '../../lib/errors.ts'
import type {
  Checker,
  MakeChecker,
  Observation,
  Request,
  Response,
} from '../checkers/observation.ts'
import type { SimulatedDisk } from './disk.ts'
import type { FaultEvent } from './faults.ts'
import type { InjectorWitness } from './injector.ts'
import type { SimulatedServer } from './server.ts'
import {
  describe,
  describeFault,
  describePiece,
  describeRequest,
  describeResponse,
} from './describe.ts'
import type { Roster } from './roster.ts'
import type { StoreState } from './observedStore.ts'
import { everything } from './store.ts'
import { Tape } from './tape.ts'
import type { Witness } from './world.ts'

/** A rule that was broken. */
export interface Violation {
  /** The name of the checker that saw it. */
  readonly checker: string
  /** Virtual ms since the start. */
  readonly at: Millis
  readonly message: string
}

/** What of a server's last step the tape is about. */
interface Seen {
  role: string
  term: number
  commitIndex: number
  appliedIndex: number
}

/** Sees everything: writes it on the tape, tells the checkers, counts. Changes nothing. */
export class Journal implements Witness, InjectorWitness {
  readonly tape: Tape
  readonly violations: Violation[] = []
  readonly faults = new Map<string, number>()
  readonly schedule: FaultEvent[] = []
  elections = 0
  commits = 0
  operations = 0
  readonly #checkers: readonly Checker[]
  readonly #seen = new Map<NodeId, Seen>()

  constructor(
    private readonly now: () => Millis,
    private readonly roster: Roster,
    checkers: readonly MakeChecker[],
    isKept: boolean,
  ) {
    this.tape = new Tape(isKept)
    this.#checkers = checkers.map((make) => {
      const checker: Checker = make((message) => this.violate(checker.name, message))
      return checker
    })
  }

  violate(checker: string, message: string): void {
    const at = this.now()
    this.tape.write(at, `VIOLATION ${checker}: ${message}`)
    this.violations.push({ checker, at, message })
  }

  started({ id, life }: SimulatedServer): void {
    this.#seen.set(id, { role: 'follower', term: 0, commitIndex: 0, appliedIndex: 0 })
    this.#note(`${id} starts, life ${life}`)
    this.#tell({ type: 'started', at: this.now(), id, life })
  }

  stopped({ id, life }: SimulatedServer, error?: unknown): void {
    this.#seen.set(id, { role: 'stopped', term: 0, commitIndex: 0, appliedIndex: 0 })
    this.#note(`${id} stops${error === undefined ? '' : `: ${messageOf(error)}`}`)
    const stopped = { type: 'stopped', at: this.now(), id, life } as const
    this.#tell(error === undefined ? stopped : { ...stopped, error })
    if (error !== undefined && !(error instanceof StorageError)) {
      this.violate('engine', `${id} stopped by itself: ${messageOf(error)}`)
    }
  }

  stepped(server: SimulatedServer, step: Step): void {
    const { id, life, store } = server
    const { role, term, commitIndex, appliedIndex } = step.state
    this.roster.note(id, step.state)
    const seen = this.#seen.get(id)!
    seen.appliedIndex = appliedIndex
    if (role.type !== seen.role || term !== seen.term) {
      if (role.type === 'leader') this.elections++
      seen.role = role.type
      seen.term = term
      this.#note(`${id}@${term} ${role.type}`)
    }
    if (commitIndex !== seen.commitIndex) {
      seen.commitIndex = commitIndex
      this.commits = Math.max(this.commits, commitIndex)
      this.#note(`${id} commits ${commitIndex}`)
    }
    if (step.restore !== undefined) this.#note(`${id} restores ${describePiece(step.restore)}`)
    this.#tell({ type: 'step', at: this.now(), id, life, step })
    const state = store.told(step) ?? stateMeanwhile(server, step)
    if (state !== undefined) this.#tell({ type: 'state', at: this.now(), id, life, ...state })
  }

  durable({ id, platter }: SimulatedDisk, what: string): void {
    const { term, vote, lastIndex, snapshot } = platter
    this.#note(`${id} ${what}`)
    const termAt = (index: number): number | undefined => platter.termAt(index)
    this.#tell({ type: 'durable', at: this.now(), id, term, vote, lastIndex, termAt, snapshot })
  }

  wiped({ id }: SimulatedDisk): void {
    this.#note(`${id} wiped`)
    this.#tell({ type: 'wiped', at: this.now(), id })
    const nothing = { term: 0, vote: undefined, lastIndex: 0, snapshot: undefined }
    const termAt = (index: number): number | undefined => (index === 0 ? 0 : undefined)
    this.#tell({ type: 'durable', at: this.now(), id, ...nothing, termAt })
  }

  struck({ id }: SimulatedDisk, fault: string): void {
    this.#note(`${fault} strikes ${id}`)
    this.bit(fault)
  }

  delivered(envelope: Envelope): void {
    this.#note(describe(envelope))
  }

  disturbed(fault: string): void {
    this.bit(fault)
  }

  injected(event: FaultEvent): void {
    this.schedule.push(event)
    this.#note(describeFault(event))
  }

  /** How far a server has applied its log, as far as it has told. */
  appliedIndex(id: NodeId): number {
    return this.#seen.get(id)?.appliedIndex ?? 0
  }

  leader(): NodeId | undefined {
    const leaders = [...this.#seen].filter(([, { role }]) => role === 'leader')
    return leaders.sort(([, one], [, other]) => other.term - one.term)[0]?.[0]
  }

  /** Whoever looks after the cluster does something. */
  administered(what: string): void {
    this.#note(`somebody ${what}`)
  }

  bit(kind: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1)
  }

  invoked(client: number, operation: number, request: Request): void {
    this.operations++
    this.#note(`client ${client} asks ${operation} ${describeRequest(request)}`)
    this.#tell({ type: 'invoked', at: this.now(), client, operation, request })
  }

  returned(client: number, operation: number, response: Response): void {
    this.#note(`client ${client} hears ${operation} ${describeResponse(response)}`)
    this.#tell({ type: 'returned', at: this.now(), client, operation, response })
  }

  healed(): void {
    this.#note('healed')
    this.#tell({ type: 'healed', at: this.now() })
  }

  ended(): void {
    this.#note('ended')
    this.#tell({ type: 'ended', at: this.now() })
  }

  #note(what: string): void {
    this.tape.write(this.now(), what)
  }

  #tell(observation: Observation): void {
    for (const checker of this.#checkers) {
      try {
        checker.observe(observation)
      } catch (error) {
        this.violate(checker.name, `threw ${messageOf(error)}`)
      }
    }
  }
}

/** What somebody sees who asks while the first piece of a snapshot has come: the state of before. */
function stateMeanwhile(
  { node }: SimulatedServer,
  { restore, state }: Step,
): StoreState | undefined {
  if (node === undefined || restore?.offset !== 0 || restore.isLast) return undefined
  const contents = new Map(JSON.parse(everything(node)) as [string, string][])
  return { index: state.handedIndex, contents }
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no error'
