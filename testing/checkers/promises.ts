import type { Message } from '../../lib/messages.ts'
import type { NodeId } from '../../lib/types.ts'
import { Disks } from './disks.ts'
import type { Durable, MakeChecker } from './observation.ts'

/**
 * What promises something leaves only when the promiser's disk holds it: a vote given, a vote asked for
 * (which is one for oneself, §5.2), an acknowledgement of entries (§5.3).
 */
export const promises: MakeChecker = (violate) => {
  const disks = new Disks()
  return {
    name: 'promises are durable',
    observe: (seen) => {
      disks.observe(seen)
      if (seen.type !== 'step') return
      for (const { from, to, message } of seen.step.send) {
        const missing = missingFor(message, from, to, disks.of(from))
        if (missing !== undefined) violate(`${from} told ${to} before its disk held it: ${missing}`)
      }
    },
  }
}

/** What the disk lacks for a message. One that has moved to a later term held it before. */
function missingFor(
  message: Message,
  from: NodeId,
  to: NodeId,
  disk: Pick<Durable, 'term' | 'vote' | 'lastIndex'> = {
    term: 0,
    vote: undefined,
    lastIndex: 0,
  },
): string | undefined {
  const { term } = message
  if (disk.term > term) return undefined
  const isOf = disk.term === term
  switch (message.type) {
    case 'vote':
      if (message.pre || !message.granted || (isOf && disk.vote === to)) return undefined
      return `the vote for ${to} in term ${term}`
    case 'requestVote':
      if (message.pre || (isOf && disk.vote === from)) return undefined
      return `the vote for itself in term ${term}`
    case 'appended':
      if (isOf && disk.lastIndex >= message.match) return undefined
      return `entry ${message.match}, acknowledged in term ${term}`
    default:
      return undefined
  }
}
