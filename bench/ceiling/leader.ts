import type { Socket } from 'node:net'
import type { Settle } from '../harness/load.ts'
import { Block } from './block.ts'
import type { Disk } from './disk.ts'
import { AckReader } from './frame.ts'

/** Commands that may be unsettled at once: a power of two. */
const RING = 65_536

/**
 * Takes commands in, sends those of a turn as one frame to both followers, writes them to its own disk
 * while the followers do the same, and settles each once two of the three disks have it.
 */
export class Leader {
  readonly #ring = new Array<Settle | undefined>(RING)
  readonly #disk: Disk
  readonly #spare: Block[] = []
  /** The last command on each disk, the leader's own first. */
  readonly #matches: [number, number, number] = [0, 0, 0]
  #block = new Block()
  #taken = 0
  #settled = 0
  #isScheduled = false

  constructor(
    disk: Disk,
    private readonly followers: readonly [Socket, Socket],
  ) {
    this.#disk = disk
    this.#hear(followers[0], 1)
    this.#hear(followers[1], 2)
  }

  submit(command: Uint8Array, settle: Settle): void {
    if (this.#taken - this.#settled >= RING) throw new Error(`more than ${RING} commands wait`)
    this.#block.add(command)
    this.#ring[this.#taken++ % RING] = settle
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#replicate)
  }

  #hear(follower: Socket, place: 1 | 2): void {
    const acks = new AckReader()
    follower.on('data', (chunk) => {
      acks.read(chunk)
      this.#matches[place] = acks.last
      this.#settle()
    })
  }

  readonly #replicate = (): void => {
    this.#isScheduled = false
    const block = this.#block
    const last = this.#taken
    const frame = block.seal(last)
    block.users = this.followers.length + 1
    for (const socket of this.followers) socket.write(frame, () => this.#release(block))
    this.#block = this.#spare.pop() ?? new Block()
    this.#disk.write([frame], () => {
      this.#release(block)
      this.#matches[0] = last
      this.#settle()
    })
  }

  #settle(): void {
    const [a, b, c] = this.#matches
    const commit = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
    while (this.#settled < commit) {
      const at = this.#settled++ % RING
      const settle = this.#ring[at]!
      this.#ring[at] = undefined
      settle.applied()
    }
  }

  #release(block: Block): void {
    if (--block.users > 0) return
    block.clear()
    this.#spare.push(block)
  }
}
