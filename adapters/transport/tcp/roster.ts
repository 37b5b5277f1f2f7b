import { BehaviorSubject, NEVER, Subscription, switchMap } from 'rxjs'
import { ConfigError } from '../../../lib/errors.ts'
import type { Envelope } from '../../../lib/messages.ts'
import { showAddress, type Address } from './address.ts'
import { dialling, type Dialling } from './dialling.ts'
import { Failure, named, quote } from './failure.ts'
import type { Session } from './handshake.ts'
import { isName } from './identity.ts'
import { reportFailure } from './notices.ts'
import { Peer, SILENCES, type Host } from './peer.ts'
import type { Settings } from './settings.ts'

/** Peers that were not known in advance, at most: strangers cannot fill the memory. */
const MAX_LEARNT = 64

/** Quarters of the idle timeout after which a learnt peer that is neither there nor needed is let go. */
const PATIENCE = 10 * SILENCES

/** Everything that the peers have to do with. */
interface Surroundings extends Settings, Dialling, Host {
  readonly forget: (peer: string) => void
}

/** A peer, and what this server knows and wants of it. */
interface Acquaintance {
  readonly peer: Peer
  /** Where it is dialled, if that is known. */
  readonly address$: BehaviorSubject<Address | undefined>
  /** The latest address that was told, a wrong one too. */
  said: string | undefined
  /** Ticks since something was sent to it. */
  quiet: number
  /** Ticks since there was a connection with it. */
  away: number
  /** Ends with the acquaintance: dialling, and the connection. */
  readonly life: Subscription
}

/**
 * Everybody whom this server speaks with: those named in advance, who stay, and those learnt from the
 * addresses of envelopes or because they introduced themselves, who are let go when nobody
 * needs them any more.
 */
export class Roster {
  /** To be unsubscribed at the end. */
  readonly life = new Subscription()

  readonly #known = new Map<string, Acquaintance>()

  constructor(
    private readonly around: Surroundings,
    private readonly failed: (cause: unknown) => void,
  ) {
    for (const [id, address] of around.peers) this.#enter(id, true, address)
  }

  /** Sends a message, which may say where its receiver is. To this server itself nothing is sent. */
  post({ to, address, message }: Envelope): void {
    const known = this.#known.get(to) ?? this.#learn(to, address)
    if (known === undefined) return
    known.quiet = 0
    if (address !== undefined && address !== known.said) this.#locate(known, address)
    known.peer.post(message)
  }

  /** The peer that introduces itself as `id`, with proof if there is any. Throws `Failure`. */
  meet(id: string): Peer {
    const known = this.#known.get(id)
    if (known !== undefined) return known.peer
    const { strangers, cluster } = this.around
    if (strangers === 'refuse') throw refusal(`no server ${quote(id)} is known here`)
    if (!isName(id, cluster)) throw refusal(`${quote(id)} is no name of a server`)
    if (this.#isFull) throw refusal(`${MAX_LEARNT} strangers are known here, and it is one more`)
    const met = this.#enter(id, false)
    // Until something is sent to it, it is the first to make room.
    met.quiet = Infinity
    return met.peer
  }

  /** Makes the connection the one with its peer, if that was not let go in the meantime. */
  establish(session: Session): void {
    const { peer, connection } = session
    if (this.#known.get(peer.id)?.peer === peer) peer.establish(session)
    else connection.close(new Failure('peer-disconnected', 'nobody needs it any more'))
  }

  /**
   * To be called four times in each idle timeout. A learnt peer stays while it is connected, also when
   * nothing is sent to it: followers have nothing to say to each other until one of them campaigns.
   */
  tick(): void {
    for (const known of this.#known.values()) {
      const { peer } = known
      peer.tick()
      known.quiet++
      known.away = peer.isUp ? 0 : known.away + 1
      const isIdle = Math.min(known.quiet, known.away) > PATIENCE
      if (isIdle && !peer.isNamed) this.#letGo(known)
    }
  }

  get #isFull(): boolean {
    return this.#known.size - this.around.peers.size >= MAX_LEARNT
  }

  #learn(id: string, address: string | undefined): Acquaintance | undefined {
    const { id: own, strangers, report } = this.around
    if (address === undefined || id === own) return undefined
    if (strangers === 'refuse') {
      report('peer-unreachable', `to ${named(id)}: \`peers\` does not name it`, id)
      return undefined
    }
    if (this.#isFull) this.#makeRoom()
    return this.#enter(id, false)
  }

  #enter(id: string, isNamed: boolean, address?: Address): Acquaintance {
    const peer = new Peer(id, isNamed, this.around)
    const life = new Subscription(() => peer.close())
    const address$ = new BehaviorSubject(address)
    const said = address && showAddress(address)
    const known: Acquaintance = { peer, address$, said, quiet: 0, away: 0, life }
    this.#known.set(id, known)
    this.life.add(life)
    const report = (cause: unknown): void =>
      reportFailure(this.around.report, `to ${named(id)}`, cause, id)
    const dialled$ = address$.pipe(
      switchMap((at) => (at === undefined ? NEVER : dialling(peer, at, this.around, report))),
    )
    life.add(dialled$.subscribe({ next: (it) => this.establish(it), error: this.failed }))
    return known
  }

  /** An address that cannot be used is told of once, and changes nothing. */
  #locate(known: Acquaintance, text: string): void {
    known.said = text
    const { id } = known.peer
    const { locate, cluster, report } = this.around
    try {
      if (!isName(id, cluster)) throw new ConfigError('id', id, 'a name that a server can have')
      known.address$.next(locate(text))
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause
      const words = `${cause.option} ${quote(String(cause.value))} should be ${cause.expected}`
      report('bad-message', `to ${named(id)}, not dialled: ${words}`, id, cause)
    }
  }

  /** Somebody whom the configuration names takes the place of whoever was sent nothing for longest. */
  #makeRoom(): void {
    const learnt = [...this.#known.values()].filter(({ peer }) => !peer.isNamed)
    const quietest = learnt.reduce((one, other) => (other.quiet > one.quiet ? other : one))
    const { id, isUp } = quietest.peer
    const words = `lost ${named(id)}: it makes room for another`
    if (isUp) this.around.report('peer-disconnected', words, id)
    this.#letGo(quietest)
  }

  #letGo({ peer, life }: Acquaintance): void {
    this.#known.delete(peer.id)
    life.unsubscribe()
    this.around.forget(peer.id)
  }
}

const refusal = (message: string): Failure => new Failure('peer-refused', message)
