import { setTimeout as sleep } from 'node:timers/promises'
import type { IncomingMessage } from 'node:http'
import { open, type Ask } from '../../kv/exchange.ts'
import type { Account, Commit, Range } from './audit.ts'
import { PREFIX } from './clients.ts'
import type { Server } from './server.ts'

/** Milliseconds of silence after which a watch is begun again. */
const SILENCE = 20_000

/** Milliseconds until a server that is down is asked again. */
const PAUSE = 100

/** Writes down everything that one server tells of its past, from the first change on, through all its lives. */
export class Recorder {
  readonly #commits: Commit[] = []
  readonly #ranges: Range[] = []
  readonly #finished: Promise<void>
  #from = 1
  #response: IncomingMessage | undefined
  #isStopped = false

  constructor(private readonly server: Server) {
    this.#finished = this.#run()
  }

  get account(): Account {
    return { id: this.server.id, ranges: this.#ranges, commits: this.#commits }
  }

  /** Everything through this index was told, or was jumped over. */
  get through(): number {
    return this.#from - 1
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#response?.destroy()
    await this.#finished
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      // A server that dies, or has no answer, is asked again.
      await this.#follow().catch(() => undefined)
      await sleep(PAUSE)
    }
  }

  async #follow(): Promise<void> {
    const ask: Ask = { method: 'GET', path: `/watch?prefix=${PREFIX}&from=${this.#from}` }
    const response = await open(this.server.url, ask, SILENCE)
    this.#response = response
    // It may have come while this was stopped.
    if (this.#isStopped) response.destroy()
    if (response.statusCode !== 200) return this.#jump(response)
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of response) {
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      const events = text.split('\n\n')
      text = events.pop()!
      for (const event of events) this.#hear(event)
    }
  }

  /** A server keeps so and so much of its past: what is older it refuses, and says where it begins. */
  async #jump(response: IncomingMessage): Promise<void> {
    let body = ''
    for await (const chunk of response) body += String(chunk)
    if (response.statusCode !== 410) return
    const { first } = JSON.parse(body) as { first?: number }
    if (first !== undefined && first > this.#from) this.#from = first
  }

  /** Both a change and a sign of life tell that there is nothing else through their index. */
  #hear(event: string): void {
    const index = Number(/^id: ?(\d+)$/m.exec(event)?.[1])
    if (!(index >= this.#from)) return
    const range = this.#ranges.at(-1)
    if (range?.through === this.#from - 1) range.through = index
    else this.#ranges.push({ from: this.#from, through: index })
    this.#from = index + 1
    const data = /^data: ?(.*)$/m.exec(event)?.[1]
    const isChange = data !== undefined && !/^event:/m.test(event)
    if (isChange)
      this.#commits.push({ index, ...(JSON.parse(data) as { key: string; value: string }) })
  }
}
