import { ChangeRefused, TransferFailed } from '../../lib/errors.ts'
import type { Members, Millis, NodeId, Plan } from '../../lib/types.ts'
import { Chance } from './chance.ts'
import { messageOf, type Journal } from './journal.ts'
import { drawPlan } from './planning.ts'
import type { Promises } from './promises.ts'
import type { SimulatedServer } from './server.ts'
import { drawRefused, fitted } from './witnesses.ts'
import type { World } from './world.ts'

/** What those do who look after the cluster. */
export interface Administration {
  /** Virtual ms between two changes of members, on average; `Infinity` for none. Default: drawn, 300 to 10,000. */
  readonly changes?: Millis
  /** Virtual ms between two hand-overs of the leadership, on average; `Infinity` for none. Default: drawn, as above. */
  readonly transfers?: Millis
}

/** Whoever was sent away is shut down so often, and after so many ms at most; others run on. */
const SHUT_DOWN = 0.5
const FAREWELL = 3_000

/** So often whoever leads is asked, and not just anybody. */
const AIM = 0.85

/** So often a change is asked for that witnesses do not allow, where there are any. */
const MISLED = 0.1

/** So many changes may wait for an answer at the same time: what one expects, another may have changed. */
const CONCURRENT = 3

/** Those who change the members and hand the leadership over, until `end`. They know of each other nothing. */
export class Administrators {
  /** Orders that are not answered. */
  open = 0
  #changes = 0
  readonly #chance: Chance
  readonly #error: Chance

  constructor(
    private readonly world: World,
    private readonly journal: Journal,
    private readonly promises: Promises,
    private readonly end: Millis,
    administration: Administration,
  ) {
    this.#chance = new Chance(world.options.seed, 'administration')
    this.#error = new Chance(world.options.seed, 'refused plans')
    const drawn = (): Millis => 300 * 33 ** this.#chance.next()
    const { changes = drawn(), transfers = drawn() } = administration
    this.#repeat(changes, () => this.#change())
    this.#repeat(transfers, () => this.transfer(this.#drawVoter(), () => undefined))
  }

  /** Asks for other members where it is likely to be decided; `done` hears of it, with the reason if it is refused. */
  change(plan: Plan, done: (refused: string | undefined) => void): void {
    const server = this.#asked()
    const { voters = [], learners = [], witnesses = [] } = plan
    const named = [...voters, ...learners, ...witnesses]
    for (const id of named) this.#prepare(id)
    if (server?.node === undefined) return done('nobody to ask')
    const decided = this.world.roster.plan(plan)
    this.open++
    this.journal.administered(`asks ${server.id} for ${JSON.stringify(plan)}`)
    const finish = (refused?: string): void => {
      decided()
      this.open--
      this.journal.administered(`hears of ${JSON.stringify(plan)}: ${refused ?? 'done'}`)
      if (refused === undefined) for (const id of plan.remove ?? []) this.#dismiss(id)
      done(refused)
    }
    const { node } = server
    this.#tell(server, finish, () =>
      node.change({ ...plan, addresses: this.world.addressesOf(named) }).subscribe({
        error: (error: unknown) => finish(reasonOf(error)),
        complete: () => finish(),
      }),
    )
  }

  /** Asks for another leader: the one that is named, or whoever fits. */
  transfer(to: NodeId | undefined, done: (leader: NodeId | undefined) => void): void {
    const server = this.#asked()
    if (server?.node === undefined) return done(undefined)
    const { node, id, clock } = server
    this.open++
    this.journal.administered(`asks ${id} to hand over to ${to ?? 'anybody'}`)
    let keep: (() => void) | undefined
    const finish = (leader: NodeId | undefined, refused?: string): void => {
      keep?.()
      this.open--
      this.journal.administered(`hears from ${id}: ${leader ?? refused ?? 'nothing'}`)
      done(leader)
    }
    this.#tell(
      server,
      (refused) => finish(undefined, refused),
      () => {
        const within = 2 * this.world.roster.electionTimeout
        keep = this.promises.made(`${id} to hand over`, clock, within)
        node.transfer(to).subscribe({
          next: (leader) => finish(leader),
          error: (error: unknown) => finish(undefined, reasonOf(error)),
        })
      },
    )
  }

  /** A paused server hears of it when it is resumed; one that dies before never does. */
  #tell(server: SimulatedServer, forget: (why: string) => void, tell: () => void): void {
    const { life } = server
    server.clock.post(
      () => (server.life === life && server.node !== undefined ? tell() : forget('it is down')),
      () => forget('it died'),
    )
  }

  #change(): void {
    const { members } = this.world.roster
    if (members === undefined || this.#changes === CONCURRENT) return
    const refused = this.#drawRefused(members)
    const plan = refused ?? this.#drawPlan(members)
    if (refused === undefined && !this.world.survives({ plan })) return
    this.#changes++
    this.change(plan, () => this.#changes--)
  }

  #drawPlan(members: Members): Plan {
    const plan = drawPlan(this.#chance, members, this.#candidates())
    return fitted(plan, this.world.witnesses)
  }

  /** Where there are witnesses, somebody now and then asks for what must not be. */
  #drawRefused(members: Members): Plan | undefined {
    const isMisled = this.world.witnesses.size > 0 && this.#error.is(MISLED)
    return isMisled ? drawRefused(this.#error, members) : undefined
  }

  #candidates(): { fresh: NodeId[]; broken: NodeId[] } {
    const { servers, roster } = this.world
    const strangers = servers.filter(({ id, disk }) => !roster.isMember(id) && !disk.isCorrupt)
    const isNew = ({ life }: SimulatedServer): boolean => life === 0
    const isReturning = this.#chance.is(0.3)
    return {
      fresh: strangers.filter((it) => isNew(it) || isReturning).map(({ id }) => id),
      broken: servers
        .filter(({ id, disk }) => roster.isMember(id) && disk.isCorrupt)
        .map(({ id }) => id),
    }
  }

  /** Whoever is to be a member is started, sooner or later. */
  #prepare(id: NodeId): void {
    const server = this.world.server(id)
    if (server === undefined) return
    if (this.#chance.is(0.7)) server.start()
    else this.world.clock.after(this.#chance.between(0, 500), () => server.start())
  }

  #dismiss(id: NodeId): void {
    const { clock, roster } = this.world
    if (!this.#chance.is(SHUT_DOWN)) return
    clock.after(this.#chance.between(0, FAREWELL), () => {
      if (!roster.isMember(id) && clock.now() < this.end) this.world.server(id)?.crash(1)
    })
  }

  #asked(): SimulatedServer | undefined {
    const leader = this.world.server(this.journal.leader() ?? '')
    if (leader !== undefined && this.#chance.is(AIM)) return leader
    return this.#chance.pick(this.world.running)
  }

  #drawVoter(): NodeId | undefined {
    const { voters = [] } = this.world.roster.members ?? {}
    return voters.length === 0 || this.#chance.is(0.3) ? undefined : this.#chance.pick(voters)
  }

  #repeat(every: Millis, act: () => void): void {
    const { clock } = this.world
    if (every === Infinity) return
    const again = (): void => {
      const pause = -Math.log(1 - this.#chance.next()) * every
      if (clock.now() + pause >= this.end) return
      clock.after(pause, () => {
        act()
        again()
      })
    }
    again()
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof ChangeRefused || error instanceof TransferFailed
    ? error.reason
    : messageOf(error)
