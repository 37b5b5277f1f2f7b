import type { Millis } from '../../lib/types.ts'
import type { Request, Response } from '../checkers/observation.ts'
import { Chance } from './chance.ts'
import { Client } from './client.ts'
import type { Journal } from './journal.ts'
import type { Promises } from './promises.ts'
import type { World } from './world.ts'

/** In so many runs some gets may be answered with what is old, by so many ms at most. */
const BOUNDED = 0.5
const OLDEST: Millis = 1_000

/** What the clients do. */
export interface Workload {
  /** How many, each with one operation at a time. Default 5. */
  readonly clients?: number
  /** Virtual ms that a client thinks between two operations, on average. Default 200. */
  readonly think?: Millis
  /** Keys that hold a value each, and as many that hold a list of words. Default 3. */
  readonly keys?: number
}

/** Clients at work until `end`. */
export class Clients {
  /** Clients whose operation is not over. */
  busy = 0
  #operation = 0
  readonly #chance: Chance
  readonly #bounds: Chance
  readonly #isBounded: boolean
  readonly #keys: number
  readonly #think: Millis

  constructor(
    private readonly world: World,
    private readonly journal: Journal,
    promises: Promises,
    private readonly end: Millis,
    { clients = 5, think = 200, keys = 3 }: Workload,
  ) {
    this.#chance = new Chance(world.options.seed, 'workload')
    this.#bounds = new Chance(world.options.seed, 'bounded reads')
    this.#isBounded = this.#bounds.is(BOUNDED)
    this.#keys = keys
    this.#think = think
    for (let i = 0; i < clients; i++) {
      const chance = new Chance(world.options.seed, `client ${i}`)
      // Some number their commands and repeat them until they are done; the others never repeat one.
      const client = new Client(world, chance, promises, { isPersistent: chance.is(0.5) })
      this.#begin(i, client, new Map())
    }
  }

  /** One operation of a client, seen by everybody. */
  ask(number: number, client: Client, request: Request, done: (response: Response) => void): void {
    const operation = this.#operation++
    this.busy++
    this.journal.invoked(number, operation, request)
    client.ask(request, (response) => {
      this.busy--
      this.journal.returned(number, operation, response)
      done(response)
    })
  }

  #begin(number: number, client: Client, known: Map<string, string | undefined>): void {
    const { clock } = this.world
    const work = (): void => {
      if (clock.now() >= this.end) return
      const request = this.#bounded(client, this.#request(number, known))
      this.ask(number, client, request, (response) => {
        if (request.type === 'get' && response.type === 'ok') known.set(request.key, response.value)
        if (request.type === 'put' && response.type === 'ok') known.set(request.key, request.value)
        clock.after(this.#pause(), work)
      })
    }
    clock.after(this.#pause(), work)
  }

  #pause(): Millis {
    return this.#chance.between(0, 2 * this.#think)
  }

  /** In some runs half of the gets may miss something: what is new, or what is behind the client's last command. */
  #bounded(client: Client, request: Request): Request {
    const chance = this.#bounds
    if (!this.#isBounded || request.type !== 'get' || chance.is(0.5)) return request
    if (chance.is(0.6)) return { ...request, within: chance.between(0, 1) ** 2 * OLDEST }
    // Now and then what is only to come, and perhaps never does.
    return { ...request, atLeast: client.index + (chance.is(0.2) ? chance.whole(1, 3) : 0) }
  }

  #request(client: number, known: ReadonlyMap<string, string | undefined>): Request {
    const chance = this.#chance
    const number = chance.whole(1, this.#keys)
    const word = `${client}.${this.#operation};`
    if (chance.is(0.4)) {
      const key = `list${number}`
      return chance.is(0.5) ? { type: 'append', key, value: word } : { type: 'get', key }
    }
    const key = `value${number}`
    const dice = chance.next()
    if (dice < 0.4) return { type: 'get', key }
    if (dice < 0.7) return { type: 'put', key, value: word }
    return { type: 'cas', key, expected: known.get(key), value: word }
  }
}
