import { withhold } from './batch.ts'
import type { Configurations } from './configurations.ts'
import { FormerWitness } from './errors.ts'
import { serversOf, votes } from './members.ts'
import type { Append } from './messages.ts'
import type { Leader, State } from './state.ts'
import type { Index, Members, NodeId, Plan } from './types.ts'

/**
 * Witnesses (thesis §11.7.2): servers that vote and acknowledge as others do, and have every entry's place in
 * their log without its command. So they apply nothing, never campaign, and their snapshots are empty.
 *
 * What always holds:
 * - every majority has a full server, so that each committed command is on the disk of one;
 * - a server that has entries without their commands is nothing but a witness for as long as its disk lives;
 * - what a witness has was on the disk of a full voter when it was sent: a leader's crash alone leaves no witness
 *   with more than every full server has, which would have its vote denied to all of them.
 */

/** Whether a server is a witness in the configuration in force, or in one that may be in force again. */
export const isWitness = (configurations: Configurations, id: NodeId): boolean =>
  configurations.some(({ witnesses }) => witnesses.includes(id))

/** Whether this server has nothing to answer questions from. */
export const lacksState = ({ isHollow, configurations, config }: State): boolean =>
  isHollow || isWitness(configurations, config.id)

/** Up to where a witness may be sent the log: what a leader alone had, and lost in a crash, would block elections. */
export const heldByFullVoter = ({ members, configurations }: State, { progress }: Leader): Index =>
  progress.reduce(
    (highest, { id, match }) =>
      match > highest && votes(members, id) && !isWitness(configurations, id) ? match : highest,
    0,
  )

/** The message as a witness gets it. */
export const withheld = (message: Append): Append => ({
  ...message,
  batches: message.batches.map(withhold),
})

/** What stands against a plan: a server stays what it is, and every majority needs a full server. */
export function hindrance(
  members: Members,
  { voters = [], learners = [], witnesses = [] }: Plan,
  target: Pick<Members, 'voters' | 'witnesses'>,
): 'witness' | 'full' | undefined {
  const full = serversOf(members).filter((id) => !members.witnesses.includes(id))
  const asFull = [...voters, ...learners]
  const isTurned =
    asFull.some((id) => members.witnesses.includes(id) || witnesses.includes(id)) ||
    witnesses.some((id) => full.includes(id))
  if (isTurned) return 'witness'
  const voting = target.witnesses.filter((id) => target.voters.includes(id))
  return areTooMany(target.voters.length, voting.length) ? 'full' : undefined
}

/** Whether so many witnesses could be a majority of so many voters. */
export const areTooMany = (voters: number, witnesses: number): boolean => witnesses * 2 > voters

/** Throws {@link FormerWitness} when a server without commands is to be a full one. */
export function checkHollow({ members, config }: State): void {
  const { id } = config
  if (serversOf(members).includes(id) && !members.witnesses.includes(id)) {
    throw new FormerWitness(id)
  }
}
