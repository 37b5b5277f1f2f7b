import { mindsSilence } from '../../lib/election.ts'
import type { Event } from '../../lib/events.ts'
import { quorumContact } from '../../lib/state.ts'
import type { Step } from '../../lib/turn.ts'
import { Alarm } from './alarm.ts'

/** A follower learns of a commit this many ms after it, as in the engine. */
const TELL_AFTER = 2

interface Timing {
  readonly electionTimeout: readonly [min: number, max: number]
  readonly heartbeat: number
}

/** The three timers of a server: silence, the leader's pulse, a leader cut off. */
export class Timers {
  readonly #silence: Alarm
  readonly #pulse: Alarm
  readonly #quorum: Alarm
  #patience = 0
  #term = -1

  constructor(
    private readonly timing: Timing,
    raise: (event: Event) => void,
  ) {
    this.#silence = new Alarm((at) => {
      this.#term = -1
      raise({ type: 'electionTimeout', at })
    })
    this.#pulse = new Alarm((at) => raise({ type: 'heartbeatTimeout', at }))
    this.#quorum = new Alarm((at) => raise({ type: 'quorumTimeout', at }))
  }

  take({ state, at }: Step): void {
    const { role, config } = state
    this.#silence.set(
      state.booted && mindsSilence(state, at) ? state.contact + this.#drawn(state.term) : undefined,
    )
    if (role.type !== 'leader') {
      this.#pulse.set(undefined)
      return this.#quorum.set(undefined)
    }
    const next = role.pulse + this.timing.heartbeat
    this.#pulse.set(role.untold === undefined ? next : Math.min(next, role.untold + TELL_AFTER))
    this.#quorum.set(quorumContact(state, role) + config.electionTimeoutMax)
  }

  /** Patience is drawn anew for every term and after every timeout. */
  #drawn(term: number): number {
    const [min, max] = this.timing.electionTimeout
    if (term !== this.#term) this.#patience = min + (max - min) * Math.random()
    this.#term = term
    return this.#patience
  }

  stop(): void {
    for (const alarm of [this.#silence, this.#pulse, this.#quorum]) alarm.set(undefined)
  }
}
