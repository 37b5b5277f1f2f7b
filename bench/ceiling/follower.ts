import type { Socket } from 'node:net'
import type { Disk } from './disk.ts'
import { ACK_BYTES, FrameReader } from './frame.ts'

/** Writes what the leader sent in a turn, and acknowledges the frames that are whole on disk. */
export function follow(disk: Disk, leader: Socket): void {
  const frames = new FrameReader()
  let chunks: Uint8Array[] = []
  let acknowledged = 0

  const acknowledge = (last: number): void => {
    if (last === acknowledged) return
    acknowledged = last
    const ack = new Uint8Array(ACK_BYTES)
    new DataView(ack.buffer).setFloat64(0, last, true)
    leader.write(ack)
  }
  const save = (): void => {
    const { last } = frames
    const whole = chunks
    chunks = []
    disk.write(whole, () => acknowledge(last))
  }
  leader.on('data', (chunk) => {
    frames.read(chunk)
    if (chunks.length === 0) setImmediate(save)
    chunks.push(chunk)
  })
}
