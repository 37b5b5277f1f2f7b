import { unpack, type Batch } from './batch.ts'
import { arePriorities } from './priorities.ts'
import type { Members, NodeId, Plan } from './types.ts'

/** The configuration with which a cluster of these voters begins. */
export const foundingMembers = (
  voters: readonly NodeId[],
  addresses: Members['addresses'] = {},
  witnesses: readonly NodeId[] = [],
): Members => ({
  ...{ index: 0, voters: sorted(voters), outgoing: [], learners: [] },
  ...{ witnesses: sorted(witnesses), addresses },
})

/** Whether a server votes, in the configuration before a change or in the one after it. */
export const votes = ({ voters, outgoing }: Members, id: NodeId): boolean =>
  voters.includes(id) || outgoing.includes(id)

/** Every server of some configurations, sorted. */
export const serversOf = (...all: readonly Members[]): readonly NodeId[] =>
  sorted(all.flatMap(({ voters, outgoing, learners }) => [...voters, ...outgoing, ...learners]))

/** Whom a plan makes voters and learners of, and who of them would be witnesses. */
export function resolve(
  members: Members,
  { voters = [], learners = [], witnesses = [], remove = [], ...plan }: Plan,
): Pick<Members, 'voters' | 'learners' | 'witnesses' | 'addresses' | 'priorities'> {
  const isLeft = (id: NodeId): boolean => !remove.includes(id)
  const named = [...voters, ...witnesses]
  const listening = [...members.learners.filter((id) => !named.includes(id)), ...learners]
  const voting = [...members.voters.filter((id) => !learners.includes(id)), ...named]
  const all = { ...members.addresses, ...plan.addresses }
  const servers = [...voting, ...listening].filter(isLeft)
  const present = Object.entries(all).filter(([id]) => servers.includes(id))
  return {
    voters: sorted(voting.filter(isLeft)),
    learners: sorted(listening.filter(isLeft)),
    witnesses: sorted([...members.witnesses, ...witnesses].filter((id) => servers.includes(id))),
    addresses: Object.fromEntries(present.sort(([a], [b]) => (a < b ? -1 : 1))),
    priorities: { ...members.priorities, ...plan.priorities },
  }
}

export const isSameList = (a: readonly NodeId[], b: readonly NodeId[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i])

const sorted = (ids: readonly NodeId[]): readonly NodeId[] => [...new Set(ids)].sort()

/** A configuration as bytes: JSON, since it is rare and meant to be read by people, too. */
export const encodeMembers = (members: Members): Uint8Array =>
  new TextEncoder().encode(write(members))

/** Without witnesses and priorities as it was before there were any. */
const write = (members: Members): string => {
  const { index, voters, outgoing, learners, witnesses, addresses, priorities } = members
  return JSON.stringify({
    ...{ index, voters, outgoing, learners, addresses },
    ...(witnesses.length > 0 && { witnesses }),
    priorities,
  })
}

/** The configuration that these bytes are, or `undefined` when they are none. */
export function decodeMembers(bytes: Uint8Array): Members | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const { priorities, ...parsed } = JSON.parse(text) as Omit<Members, 'witnesses'> &
      Partial<Members>
    const { index, voters, outgoing, learners, witnesses = [], addresses } = parsed
    const plain = { index, voters, outgoing, learners, witnesses, addresses }
    const isSound =
      Number.isSafeInteger(index) &&
      index >= 0 &&
      voters.length > 0 &&
      [voters, outgoing, learners, witnesses].every(isList) &&
      witnesses.every((id) => serversOf(plain).includes(id)) &&
      Object.values(addresses).every((address) => typeof address === 'string') &&
      (priorities === undefined || arePriorities(priorities, serversOf(plain)))
    const members = priorities === undefined ? plain : { ...plain, priorities }
    // There is one way to write each.
    return isSound && text === write(members) ? members : undefined
  } catch {
    return undefined
  }
}

/** The configuration that a batch holds, or `undefined` when it holds none. */
export function membersIn(batch: Batch): Members | undefined {
  const [bytes] = unpack(batch)
  const members = batch.count === 1 && bytes !== undefined ? decodeMembers(bytes) : undefined
  return members?.index === batch.index ? members : undefined
}

/** Sorted and without repetition, and none is empty. */
const isList = (ids: readonly unknown[]): boolean =>
  ids.every((id, i) => typeof id === 'string' && id > ((ids[i - 1] as string | undefined) ?? ''))
