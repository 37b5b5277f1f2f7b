import { setTimeout as sleep } from 'node:timers/promises'
import type { Request, Response } from '../../testing/checkers/observation.ts'
import { seeded } from '../../testing/seeded.ts'
import type { Fleet } from './fleet.ts'
import type { History, Outcome } from './history.ts'
import { get, insistently, put, type Condition, type Read } from './store.ts'

/** Keys in use at a time: few, so that clients meet. */
const SLOTS = 4

/** Operations on a key until it is left for a new one: histories stay short enough to be searched. */
const OPERATIONS_PER_KEY = 150

/** Longest pause of a client between two operations, in ms. */
const PAUSE = 15

/** Pause after an operation that failed, in ms: a server that is down refuses at once. */
const FAILED_PAUSE = 60

/** So old an answer may be at most, in ms, where it may be old. */
const OLDEST = 1_500

/** Prefix of every key whose changes are held against the history. */
export const PREFIX = 'k/'

/** Who asks which server, and the word that only this operation writes. */
interface Call {
  readonly client: number
  readonly server: string
  readonly word: string
  /** Any server, drawn anew each time. */
  readonly elsewhere: () => string
}

/** Every other client sends its writes under idempotency keys, and again where no answer comes. */
const isPatient = ({ client }: Call): boolean => client % 2 === 0

const isCounter = (slot: number): boolean => slot === 0

/** Client loops that spread over all servers, each with one operation under way at a time. */
export class Clients {
  readonly #finished: Promise<unknown>
  readonly #uses: number[] = Array<number>(SLOTS).fill(0)
  #isStopped = false

  constructor(
    private readonly fleet: Fleet,
    private readonly history: History,
    seed: number,
    count: number,
  ) {
    const loops = [...Array(count).keys()].map((client) =>
      this.#run(client, seeded(seed + 7919 * (client + 1))),
    )
    this.#finished = Promise.all(loops)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#finished
  }

  async #run(client: number, random: () => number): Promise<void> {
    for (let i = 0; !this.#isStopped; i++) {
      const elsewhere = (): string => {
        const { servers } = this.fleet
        return servers[Math.floor(random() * servers.length)]!.url
      }
      const call = { client, server: elsewhere(), word: `${client}-${i}`, elsewhere }
      const { type } = await this.#operate(call, random)
      await sleep(type === 'ok' ? random() * PAUSE : FAILED_PAUSE)
    }
  }

  #operate(call: Call, random: () => number): Promise<Response> {
    const slot = Math.floor(random() * SLOTS)
    const key = this.#keyOf(slot)
    if (isCounter(slot)) {
      return this.#swap(call, key, (count) => String(Number(count ?? '0') + 1))
    }
    if (random() < 0.2) return this.#look(call, key, random)
    if (random() < 0.35) return this.#get(call, key).then(({ response }) => response)
    if (random() < 0.5) return this.#put(call, key)
    return this.#swap(call, key, () => call.word)
  }

  #keyOf(slot: number): string {
    const uses = this.#uses[slot]!++
    const name = isCounter(slot) ? 'count' : 'word'
    return `${PREFIX}${name}-${slot}-${Math.floor(uses / OPERATIONS_PER_KEY)}`
  }

  async #get({ client, server }: Call, key: string): Promise<Read> {
    let read: Read = { response: { type: 'unknown' } }
    const ask = async (): Promise<Read> => (read = await get(server, key))
    await this.history.record(client, { type: 'get', key }, ask)
    return read
  }

  /** A read that may be old, within a bound of either kind. */
  async #look({ server }: Call, key: string, random: () => number): Promise<Response> {
    const { history } = this
    const isByTime = random() < 0.5
    const within = Math.floor(random() * OLDEST)
    const bound = isByTime ? { within } : { atLeast: Math.max(1, history.newest) }
    const invoked = performance.now()
    const { response, version } = await get(server, key, bound)
    if (response.type === 'ok') history.looked({ key, bound, invoked, version: numberOf(version) })
    return response
  }

  #put(call: Call, key: string): Promise<Response> {
    const request: Request = { type: 'put', key, value: call.word }
    return this.history.record(call.client, request, () => write(call, key, call.word))
  }

  /** Reads, and writes what follows from it if what was read is still there. */
  async #swap(
    call: Call,
    key: string,
    next: (value: string | undefined) => string,
  ): Promise<Response> {
    const { response, version } = await this.#get(call, key)
    if (response.type !== 'ok') return response
    const expected = response.value
    const value = next(expected)
    const request: Request = { type: 'cas', key, expected, value }
    return this.history.record(call.client, request, () => write(call, key, value, { version }))
  }
}

/** The index in an `ETag`; 0 without one. */
const numberOf = (etag: string | undefined): number => Number(etag?.replaceAll('"', '') ?? 0)

/** Writes once, or as often as it takes under a key of the operation's own. */
function write(call: Call, key: string, value: string, condition?: Condition): Promise<Outcome> {
  const { server, elsewhere, word } = call
  if (!isPatient(call)) return put(server, key, value, condition)
  let next = server
  return insistently(() => {
    const asked = put(next, key, value, condition, word)
    next = elsewhere()
    return asked
  })
}
