import { setTimeout as sleep } from 'node:timers/promises'
import { seeded } from '../../testing/seeded.ts'
import { send } from '../../kv/exchange.ts'
import type { Fleet } from './fleet.ts'
import type { Server } from './server.ts'
import { get, put } from './store.ts'

/** Prefix of the keys that are written with a time to live. */
const PREFIX = 'mortal/'

/** Milliseconds between two looks at a key. */
const PAUSE = 200

/** Looks at a key, at most: a cluster that is down does not let it go. */
const LOOKS = 40

/** Looks at a key after it was seen gone. */
const LAST_LOOKS = 5

/** Milliseconds by which clocks that are asked in whole ones may differ. */
const SLACK = 50

/** Milliseconds in which every key has to go after all faults. */
const GRACE = 15_000

/** Whether a key was there, by an answer that has everything acknowledged before the question. */
export interface Look {
  readonly asked: number
  readonly answered: number
  readonly isThere: boolean
}

/** One key from its write on, all times in ms. */
export interface Life {
  readonly key: string
  readonly ttl: number
  /** When its write was asked for: it cannot have begun to live before. */
  readonly asked: number
  readonly looks: readonly Look[]
}

/** What no key may do: a sentence each. */
export function unnatural({ key, ttl, asked, looks }: Life): string[] {
  const gone = looks.filter(({ isThere }) => !isThere)
  const early = gone.find(({ answered }) => answered < asked + ttl - SLACK)
  const first = Math.min(...gone.map(({ answered }) => answered))
  const back = looks.find(({ isThere, asked }) => isThere && asked > first)
  return [
    ...(early
      ? [
          `${key} was gone ${Math.round(early.answered - asked)} ms after it was written, and had ${ttl} to live`,
        ]
      : []),
    ...(back
      ? [`${key} is there again ${Math.round(back.asked - first)} ms after it was gone`]
      : []),
  ]
}

/** Whether it was seen there, and then gone. */
export const isOver = ({ looks }: Life): boolean =>
  looks.some(({ isThere }) => isThere) && looks.some(({ isThere }) => !isThere)

/** A client that writes keys with a time to live, one after the other, and watches them go. */
export class Mortals {
  readonly lives: Life[] = []
  readonly #random: () => number
  readonly #finished: Promise<void>
  #isStopped = false

  constructor(
    private readonly fleet: Fleet,
    seed: number,
  ) {
    this.#random = seeded(seed + 104_729)
    this.#finished = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#finished
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#isStopped; i++) {
      const key = `${PREFIX}${i}`
      const ttl = 1 + Math.floor(2 * this.#random())
      const asked = performance.now()
      const { response } = await put(this.#anybody(), `${key}?ttl=${ttl}`, key)
      if (response.type === 'ok') this.lives.push(await this.#watch(key, 1_000 * ttl, asked))
      else await sleep(PAUSE)
    }
  }

  async #watch(key: string, ttl: number, asked: number): Promise<Life> {
    const looks: Look[] = []
    for (let i = 0, last = LAST_LOOKS; i < LOOKS && last > 0 && !this.#isStopped; i++) {
      const begun = performance.now()
      const { response } = await get(this.#anybody(), key)
      if (response.type === 'ok') {
        const isThere = response.value !== undefined
        looks.push({ asked: begun, answered: performance.now(), isThere })
        if (!isThere) last--
      }
      await sleep(PAUSE)
    }
    return { key, ttl, asked, looks }
  }

  #anybody(): string {
    const { servers } = this.fleet
    return servers[Math.floor(this.#random() * servers.length)]!.url
  }
}

/** Waits until no server has such a key any more; who has one all the same, a sentence each. */
export async function immortals(servers: readonly Server[]): Promise<string[]> {
  const end = performance.now() + GRACE
  const path = `/kv?consistency=stale&limit=1&prefix=${PREFIX}`
  const found = await Promise.all(
    servers.map(async ({ id, url }) => {
      for (;;) {
        const { body } = await send(url, { method: 'GET', path }, GRACE)
        const { items } = JSON.parse(body.toString()) as { items: readonly { key: string }[] }
        if (items[0] === undefined) return []
        if (performance.now() > end) return [`${id} still has ${items[0].key}, whose time is over`]
        await sleep(PAUSE)
      }
    }),
  )
  return found.flat()
}
