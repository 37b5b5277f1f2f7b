import type { Socket } from 'node:net'
import { Disk } from './disk.ts'
import { ACK_BYTES, FrameReader } from './frame.ts'

/** Writes what the leader sent in a turn, and acknowledges the frames that are whole on disk. */
export function follow(file: string, leader: Socket): void {
  const disk = new Disk(file)
  const frames = new FrameReader()
  let chunks: Uint8Array[] = []
  let acknowledged = 0

  const save = (): void => {
    disk.write(chunks)
    chunks = []
    if (frames.last === acknowledged) return
    acknowledged = frames.last
    const ack = new Uint8Array(ACK_BYTES)
    new DataView(ack.buffer).setFloat64(0, acknowledged, true)
    leader.write(ack)
  }
  leader.on('data', (chunk) => {
    frames.read(chunk)
    if (chunks.length === 0) setImmediate(save)
    chunks.push(chunk)
  })
}
