import type { Index, NodeId, Position } from '../../lib/types.ts'
import type { MakeChecker, Observation } from './observation.ts'
import { Lives } from './lives.ts'

/** What a state machine has given so far. */
interface Given {
  index: Index
  end: number
  print: number
}

/**
 * A snapshot on a disk is, byte for byte, one that a state machine gave for the same entry: this server's own, or,
 * if it was installed, another's.
 */
export const sameSnapshots: MakeChecker = (violate) => {
  const given = new Map<string, Set<number>>()
  const lives = new Lives<Given>(() => ({ index: 0, end: 0, print: START }))
  const newest = new Map<NodeId, Uint8Array>()
  const witnesses = new Set<NodeId>()

  const take = ({ id, life, step }: Extract<Observation, { type: 'step' }>): void => {
    for (const witness of step.state.members.witnesses) witnesses.add(witness)
    for (const event of step.events) {
      if (event.type !== 'captured') continue
      const memory = lives.of(id, life)
      if (event.offset === 0) Object.assign(memory, { index: event.index, end: 0, print: START })
      if (event.index !== memory.index || event.offset !== memory.end) continue
      memory.end += event.bytes.length
      memory.print = printOf(event.bytes, memory.print)
      if (!event.isLast) continue
      const key = nameOf(event)
      given.set(key, (given.get(key) ?? new Set()).add(memory.print))
    }
  }

  return {
    name: 'snapshots are what a machine gave',
    observe: (seen) => {
      if (seen.type === 'step') take(seen)
      if (seen.type !== 'durable' || seen.snapshot === undefined) return
      const { mark, bytes } = seen.snapshot
      if (newest.get(seen.id) === bytes) return
      newest.set(seen.id, bytes)
      // A witness has what it stands for, and no state: not so anybody else.
      if (bytes.length === 0 && witnesses.has(seen.id)) return
      if (given.get(nameOf(mark))?.has(printOf(bytes, START)) === true) return
      violate(`no machine gave the snapshot ${nameOf(mark)} that is on the disk of ${seen.id}`)
    },
  }
}

const nameOf = ({ index, term }: Position): string => `${index}@${term}`

const START = 0x811c9dc5

/** FNV-1a. */
function printOf(bytes: Uint8Array, before: number): number {
  let print = before
  for (let i = 0; i < bytes.length; i++) print = Math.imul(print ^ bytes[i]!, 0x01000193)
  return print
}
