import { interval, Subscription } from 'rxjs'
import { Overloaded, Timeout, type RaftError } from '../../lib/errors.ts'
import type { Deadlines } from '../../operators/engine/deadlines.ts'
import { Fifo } from '../../operators/fifo.ts'
import type { Failure } from '../transport/tcp/failure.ts'
import { ASK } from './codes.ts'
import { Command } from './command.ts'
import { Closed, Refused, Unreachable } from './errors.ts'
import type { Job, JobOwner } from './job.ts'
import { Link, SILENCES, type Asked, type Codecs, type LinkOwner } from './link.ts'
import type { Party } from './party.ts'
import { Question } from './question.ts'
import { OwnSession } from './session.ts'
import type { Way } from './way.ts'

/** Whoever wants a link to any server, such as a watch. */
export interface Passenger {
  boarded(link: Link): void
  fail(error: RaftError): void
  complete(): void
}

export interface CourierOptions {
  readonly servers: readonly Way[]
  /** The way to an address that is learnt. Throws `ConfigError` for one that must not be dialled. */
  readonly locate: (address: string) => Way
  readonly maxInFlight: number
  readonly maxWaiting: number
  readonly deadlines: Deadlines
  readonly codecs: Codecs
}

/** Milliseconds after which what was sent away is sent again, unless another leader is known before. */
const PAUSE = 50

/** Servers that are learnt from others, at most. */
const MAX_LEARNT = 64

/** Brings what is asked to whoever leads: holds a link to each server, and follows the leader. */
export class Courier implements LinkOwner, JobOwner {
  readonly #links = new Map<string, Link>()
  readonly #waiting = new Fifo<Job>()
  #first: Job[] = []
  #parked: Job[] = []
  #unnamed: Command<unknown>[] = []
  readonly #passengers = new Set<Passenger>()
  readonly #life = new Subscription()
  #leader: Link | undefined
  #inFlight = 0
  #session: OwnSession | undefined
  #isOpening = false
  #isUnparking = false
  #refusal: Refused | undefined
  #isClosed = false

  constructor(
    private readonly config: Party,
    private readonly options: CourierOptions,
  ) {
    for (const way of options.servers) this.#add(way)
    const ticks$ = interval(config.idleTimeout / SILENCES, config.scheduler)
    this.#life.add(
      ticks$.subscribe(() => {
        for (const link of this.#links.values()) link.tick()
      }),
    )
  }

  start(): void {
    for (const link of this.#links.values()) link.start()
  }

  /** Takes a job in, or says why not. */
  submit(job: Job): RaftError | undefined {
    if (this.#isClosed) return new Closed('none')
    if (this.#refusal !== undefined) return this.#refusal
    const { maxWaiting } = this.options
    if (this.#waiting.length >= maxWaiting) {
      return new Overloaded(`${maxWaiting} requests wait already: try again later`)
    }
    job.isQueued = true
    this.#waiting.push(job)
    this.#pump()
    return undefined
  }

  /** What is to be said of a job that took too long. */
  late(job: Job, ms: number): RaftError {
    const { outcome, refusal, isUnderWay } = job
    if (outcome === 'unknown' || (isUnderWay && job instanceof Command)) {
      return new Timeout(ms, 'unknown')
    }
    if (refusal !== undefined) return refusal
    return isUnderWay ? new Timeout(ms, 'none') : new Unreachable(ms, this.#reasons())
  }

  /** Gives it a link now, and again whenever that is lost. The returned function leaves. */
  board(passenger: Passenger): () => void {
    if (this.#isClosed) passenger.complete()
    else if (this.#refusal !== undefined) passenger.fail(this.#refusal)
    else {
      this.#passengers.add(passenger)
      this.#boardAll()
    }
    return () => this.#passengers.delete(passenger)
  }

  /** Calls it after a while. The returned function sees to it that it is not. */
  later(what: () => void): () => void {
    const pause = this.options.deadlines.set(PAUSE, { expire: what })
    return () => pause.unsubscribe()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#life.unsubscribe()
    for (const link of this.#links.values()) link.stop()
    const asked = [...this.#links.values()].flatMap((link) => link.takeBack())
    this.#failAll(
      (job) => new Closed(job.isUnderWay ? 'unknown' : job.outcome),
      asked.filter(isJob),
    )
    const passengers = [...this.#passengers]
    this.#passengers.clear()
    for (const passenger of passengers) passenger.complete()
    for (const it of asked) it.dropped?.()
  }

  /** A link is open, or has heard who leads. */
  changed(): void {
    this.#refusal = undefined
    const open = [...this.#links.values()].filter((link) => link.isOpen)
    const best = open.reduce<Link['claim']>(
      (found, { claim }) => (claim!.id !== '' && claim!.term > (found?.term ?? -1) ? claim : found),
      undefined,
    )
    if (best !== undefined) this.#learn(best.address)
    const leader = open.find((link) => link.isLeading && link.claim!.term === best?.term)
    if (leader !== undefined && leader !== this.#leader) {
      this.#leader = leader
      const others = [...this.#links.values()].filter((link) => link !== leader)
      this.#recover(others.flatMap((link) => link.takeBack()))
    }
    this.#unpark()
    this.#boardAll()
  }

  lost(reason: Failure, asked: readonly Asked[]): void {
    if (this.#isClosed) return
    if (this.#leader?.isOpen === false) this.#leader = undefined
    this.#recover(asked)
    const links = [...this.#links.values()]
    if (links.every(({ failure }) => failure?.code === 'peer-refused')) {
      this.#refusal = new Refused(reason.message, 'none', { cause: reason })
      this.#refuseAll(reason)
    }
    this.#boardAll()
  }

  drained(): void {
    this.#pump()
  }

  done(): void {
    this.#inFlight--
    if (this.#inFlight < this.options.maxInFlight) this.#pump()
  }

  refused(job: Job): void {
    this.#inFlight--
    if (job instanceof Command && job.session === undefined) this.#session = undefined
    if (job.isWanted) this.#park(job)
    else job.rest()
    this.#pump()
  }

  #pump(): void {
    const link = this.#leader
    if (link === undefined) return
    while (this.#inFlight < this.options.maxInFlight && !link.isFull) {
      const job = this.#first.shift() ?? this.#waiting.shift()
      if (job === undefined) return
      if (!job.isWanted) {
        job.isQueued = false
        job.rest()
      } else if (!(job instanceof Command) || this.#isNamed(job, link)) this.#send(job, link)
    }
  }

  #send(job: Job, link: Link): void {
    job.isQueued = false
    job.isUnderWay = true
    this.#inFlight++
    link.ask(job)
  }

  /** A command without a name waits for the session. */
  #isNamed(command: Command<unknown>, link: Link): boolean {
    if (command.session !== undefined) return true
    if (this.#session !== undefined && command.name(this.#session)) return true
    this.#unnamed.push(command)
    if (this.#session === undefined && !this.#isOpening) this.#open(link)
    return false
  }

  #open(link: Link): void {
    this.#isOpening = true
    link.ask({
      write: (sheaf, id) => sheaf.item(ASK.session, id, 0),
      opened: (index, term) => {
        this.#isOpening = false
        this.#session = new OwnSession(index, term)
        this.#requeue(this.#unnamed.splice(0))
        this.#pump()
      },
      failed: () => {
        this.#isOpening = false
        for (const command of this.#unnamed.splice(0)) this.#park(command)
      },
    })
  }

  /** What was under way on a link, in its order, goes first on the next one. */
  #recover(asked: readonly Asked[]): void {
    const jobs: Job[] = []
    for (const it of asked) {
      if (!isJob(it)) continue
      this.#inFlight--
      it.lost()
      if (it.isWanted) jobs.push(it)
      else it.rest()
    }
    this.#requeue(jobs)
    // Whatever the link was asked for the session, it will not answer.
    if (this.#isOpening && asked.some((it) => it.opened !== undefined)) {
      this.#isOpening = false
      this.#requeue(this.#unnamed.splice(0))
    }
    for (const it of asked) it.dropped?.()
    this.#pump()
  }

  #requeue(jobs: readonly Job[]): void {
    for (const job of jobs) job.isQueued = true
    if (jobs.length > 0) this.#first = [...jobs, ...this.#first]
  }

  #park(job: Job): void {
    job.isQueued = true
    this.#parked.push(job)
    if (this.#isUnparking) return
    this.#isUnparking = true
    const expire = (): void => {
      this.#isUnparking = false
      this.#unpark()
    }
    this.options.deadlines.set(PAUSE, { expire })
  }

  #unpark(): void {
    if (this.#parked.length > 0) this.#requeue(this.#parked.splice(0))
    this.#pump()
  }

  #boardAll(): void {
    const link = this.#leader ?? [...this.#links.values()].find(({ isOpen }) => isOpen)
    if (link === undefined) return
    const passengers = [...this.#passengers]
    this.#passengers.clear()
    for (const passenger of passengers) passenger.boarded(link)
  }

  #refuseAll(reason: Failure): void {
    this.#failAll((job) => new Refused(reason.message, job.outcome, { cause: reason }))
    const passengers = [...this.#passengers]
    this.#passengers.clear()
    for (const passenger of passengers) passenger.fail(this.#refusal!)
  }

  #failAll(error: (job: Job) => RaftError, underWay: readonly Job[] = []): void {
    const queued = [...this.#first, ...this.#waiting, ...this.#parked, ...this.#unnamed]
    while (this.#waiting.shift() !== undefined);
    this.#first = []
    this.#parked = []
    this.#unnamed = []
    for (const job of [...underWay, ...queued]) {
      const reason = error(job)
      job.isQueued = false
      job.fail(reason)
      job.rest()
    }
  }

  #learn(text: string): void {
    if (text === '' || this.#links.size >= this.options.servers.length + MAX_LEARNT) return
    try {
      this.#add(this.options.locate(text))?.start()
    } catch {
      // An address that must not be dialled is none: the servers that were given may do.
    }
  }

  /** A link that is not there yet. */
  #add(way: Way): Link | undefined {
    if (this.#links.has(way.name)) return undefined
    const link = new Link(way, this.config, this.options.codecs, this)
    this.#links.set(way.name, link)
    return link
  }

  #reasons(): string {
    const links = [...this.#links.values()]
    const reasons = links.map((link) => `${link.way.name}: ${reasonOf(link)}`)
    return reasons.join('; ')
  }
}

const reasonOf = ({ failure, isOpen, claim }: Link): string =>
  isOpen
    ? claim?.id
      ? `says that ${claim.id} leads`
      : 'knows no leader'
    : (failure?.message ?? 'not connected yet')

const isJob = (asked: Asked): asked is Job => asked instanceof Command || asked instanceof Question
