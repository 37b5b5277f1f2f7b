import type { Batch } from '../../lib/batch.ts'
import type { Envelope } from '../../lib/messages.ts'
import { write, type Disk, type Server, type Turned } from './server.ts'

/** What must hold, by name. The first five are Figure 3 of the paper and what it rests on. */
export const invariants = [
  'election safety',
  'log matching',
  'leader completeness',
  'state machine safety',
  'durable quorum',
  'vote once',
  'promises',
  'reads',
  'monotony',
  'memory',
  'engine',
] as const

export type Invariant = (typeof invariants)[number]

export interface Finding {
  readonly invariant: Invariant
  readonly message: string
}

/** What is wrong with one server, whatever the others do. */
export function findInServer({ id, state, disk, pending }: Server): readonly Finding[] {
  const { role, term, vote, log, commitIndex, appliedIndex } = state
  const found: Finding[] = []
  const wrong = (invariant: Invariant, message: string) => found.push({ invariant, message })
  const future = pending.reduce(write, disk)
  const cells = log.cells.slice(0, log.length)
  if (future.term !== term || future.vote !== vote || !isSame(future.batches, cells)) {
    wrong('memory', `${id} remembers something else than what is saved and being saved`)
  }
  if (pending.length !== state.saving.length) wrong('memory', `${id} lost count of its saves`)
  if (appliedIndex > commitIndex || commitIndex > log.lastIndex) {
    wrong(
      'monotony',
      `${id} has applied ${appliedIndex}, committed ${commitIndex} of ${log.lastIndex}`,
    )
  }
  if (role.type === 'candidate' && role.votes.get(id) === true && !hasVoted(disk, term, id)) {
    wrong('promises', `${id} counts its own vote of term ${term}, which is not on its disk`)
  }
  if (role.type === 'leader') {
    const own = role.progress.find((progress) => progress.id === id)?.match ?? 0
    if (!isSame(disk.batches.slice(0, own), cells.slice(0, own)) || disk.batches.length < own) {
      wrong('promises', `${id} counts its own disk through ${own}, which holds less`)
    }
  }
  return found
}

/** What is wrong with one turn of one server. */
export function findInTurn(before: Server, { server, sent }: Turned): readonly Finding[] {
  const found: Finding[] = sent.flatMap((envelope) => findInPromise(server, envelope))
  const { id, disk, state } = server
  const wrong = (invariant: Invariant, message: string) => found.push({ invariant, message })
  if (disk.term < before.disk.term || state.term < before.state.term) {
    wrong('monotony', `${id} goes back from term ${before.state.term} to ${state.term}`)
  }
  if (
    state.commitIndex < before.state.commitIndex ||
    state.appliedIndex < before.state.appliedIndex
  ) {
    wrong(
      'monotony',
      `${id} goes back from commit ${before.state.commitIndex} to ${state.commitIndex}`,
    )
  }
  const old = before.disk
  if (disk.term === old.term && old.vote !== undefined && disk.vote !== old.vote) {
    wrong('vote once', `${id} has voted for ${old.vote} and ${disk.vote} in term ${disk.term}`)
  }
  return found
}

/** Whether the disk holds what a message promises at the moment at which it leaves. */
function findInPromise({ id, disk, state }: Server, { to, message }: Envelope): readonly Finding[] {
  const promises = (isKept: boolean, what: string): readonly Finding[] =>
    isKept
      ? []
      : [{ invariant: 'promises', message: `${id} tells ${to} ${what} without having it on disk` }]
  switch (message.type) {
    case 'requestVote':
      return promises(
        message.pre || hasVoted(disk, message.term, id),
        `its own vote of term ${message.term}`,
      )
    case 'vote': {
      const isKept = message.pre || !message.granted || hasVoted(disk, message.term, to)
      return promises(isKept, `its vote of term ${message.term}`)
    }
    case 'appended': {
      const { match, term } = message
      const held = disk.batches.slice(0, match)
      const isKept =
        disk.term >= term &&
        held.length === match &&
        (state.term !== term || isSame(held, state.log.cells.slice(0, match)))
      return promises(isKept, `that it holds entry ${match} of term ${term}`)
    }
    default:
      return []
  }
}

/** Once its disk is in a later term, what it voted before binds no more; it was seen when it was written. */
const hasVoted = ({ term, vote }: Disk, asked: number, whom: string): boolean =>
  term > asked || (term === asked && vote === whom)

const isSame = (some: readonly Batch[], others: readonly Batch[]): boolean =>
  some.length === others.length &&
  some.every(({ index, term, kind, bytes }, i) => {
    const other = others[i]!
    const isEqual = index === other.index && term === other.term && kind === other.kind
    return (
      isEqual &&
      bytes.length === other.bytes.length &&
      bytes.every((b, at) => b === other.bytes[at])
    )
  })
