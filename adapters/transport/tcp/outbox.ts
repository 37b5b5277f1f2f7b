import type { Message } from '../../../lib/messages.ts'
import { bodyLength } from '../codec.ts'

/** What a message weighs besides its entries: about its head, its envelope and its place here. */
const MESSAGE_BYTES = 64

/** Messages that wait for their turn, bounded in bytes: the oldest make room for the newest. */
export class Outbox {
  #messages: (Message | undefined)[] = []
  #first = 0
  #bytes = 0

  get isEmpty(): boolean {
    return this.#first === this.#messages.length
  }

  /** What waits here, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Adds a message and says how many older ones had to go to stay within `limit`. The newest always
   * stays, however large it is.
   */
  push(message: Message, limit: number): number {
    this.#messages.push(message)
    this.#bytes += weigh(message)
    return this.trim(limit)
  }

  /** Drops the oldest messages beyond `limit` bytes, all but the newest, and says how many. */
  trim(limit: number): number {
    let dropped = 0
    while (this.#bytes > limit && this.#messages.length - this.#first > 1) {
      this.shift()
      dropped++
    }
    return dropped
  }

  /** Takes out the oldest message. */
  shift(): Message | undefined {
    const message = this.#messages[this.#first]
    if (message === undefined) return undefined
    this.#messages[this.#first++] = undefined
    this.#bytes -= weigh(message)
    if (this.#first === this.#messages.length) this.clear()
    else if (this.#first > 1024 && this.#first * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first)
      this.#first = 0
    }
    return message
  }

  clear(): void {
    this.#messages = []
    this.#first = this.#bytes = 0
  }
}

const weigh = (message: Message): number => MESSAGE_BYTES + bodyLength(message)
