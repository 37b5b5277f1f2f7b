import { firstValueFrom, lastValueFrom, map } from 'rxjs'
import type { ChangeProgress, Members, NodeId, Plan, Status } from 'rxraft'
import { placeOf } from './addresses.ts'
import { listedMembers } from './memberList.ts'
import { parseBody, parsePlan, parseSuccessor } from './plans.ts'
import { narrate } from './progress.ts'
import { json, redirect, refuse, replyToWrite, type Reply } from './replies.ts'
import { bodyOf, nameOf } from './requests.ts'
import { glance, query, type Call, type Service } from './service.ts'

/** Largest body of a request about members, in bytes. */
const BODY_BYTES = 64 * 1024

/** The members as a linearizable read finds them, unless a stale one is asked for. */
export async function listMembers(service: Service, { params }: Call): Promise<Reply> {
  await query(service, params, { type: 'get', key: '' })
  const { members, leader, commitIndex } = glance(service.node)
  return json(200, {
    cluster: service.cluster,
    index: members.index,
    committed: members.index <= commitIndex,
    leader: leader ?? null,
    members: listedMembers(members),
  })
}

export async function changeMembers(service: Service, call: Call): Promise<Reply | undefined> {
  const body = parseBody(await bodyOf(call.request, BODY_BYTES, 'body'))
  return carryOut(service, call, parsePlan(body))
}

export async function removeMember(service: Service, call: Call): Promise<Reply | undefined> {
  return carryOut(service, call, { remove: [nameOf(call.rest)] })
}

/** A client that goes away takes nothing back. */
async function carryOut(service: Service, call: Call, plan: Plan): Promise<Reply | undefined> {
  const { node } = service
  const now = glance(node)
  if (now.role === 'leader') {
    check(plan, now.members)
    const successor = await handOver(service, heirs(plan, now))
    const reply = successor && redirect(successor, call.url, now.members)
    if (reply) return reply
  }
  const refused = (error: unknown): Reply => replyToWrite(error, call.url, glance(node))
  const progress$ = node.change(plan).pipe(map((progress) => told(progress, service)))
  if (call.request.headers.accept === 'text/event-stream') {
    return narrate(progress$, refused, call.response, service.keepAlive)
  }
  try {
    return json(200, (await lastValueFrom(progress$)).data)
  } catch (error) {
    return refused(error)
  }
}

function told(progress: ChangeProgress, { node }: Service) {
  if (progress.type !== 'done') return { event: 'progress', data: progress }
  const { index } = progress
  return { event: 'done', data: { index, members: listedMembers(glance(node).members) } }
}

/** What the engine would take and nobody can mean. */
function check(
  {
    voters = [],
    learners = [],
    witnesses = [],
    remove = [],
    addresses = {},
    priorities = {},
  }: Plan,
  members: Members,
) {
  const nowhere = [...voters, ...learners, ...witnesses].find(
    (id) => placeOf(members, id) === undefined && !Object.hasOwn(addresses, id),
  )
  if (nowhere !== undefined) {
    throw refuse(400, 'no-address', `${nowhere} is new: its address must be given`)
  }
  const known = listedMembers(members).map(({ id }) => id)
  const present = [...known, ...voters, ...learners, ...witnesses]
  const absent =
    remove.find((id) => !known.includes(id)) ??
    Object.keys(priorities).find((id) => !present.includes(id))
  if (absent !== undefined) throw refuse(404, 'not-found', `${absent} is not a member`)
}

/** Whom this leader can hand over to, when the plan takes its vote and leaves others theirs. */
function heirs({ learners = [], remove = [], expected }: Plan, { id, members }: Status): NodeId[] {
  const leaving = [...learners, ...remove]
  const isExpected = expected === undefined || expected === members.index
  const isLeaving = isExpected && leaving.includes(id)
  const staying = members.voters.filter((voter) => !leaving.includes(voter))
  return isLeaving ? staying.filter((voter) => !members.witnesses.includes(voter)) : []
}

/** A leader that is to leave hands over first: so no write that it has taken in loses its answer. */
async function handOver({ node }: Service, heirs: readonly NodeId[]): Promise<NodeId | undefined> {
  for (const heir of heirs) {
    const successor = await firstValueFrom(node.transfer(heir)).catch(() => undefined)
    if (successor !== undefined) return successor
  }
  // Nobody takes over now: the leader makes the change itself, and steps down when it is done.
  return undefined
}

export async function transfer({ node }: Service, call: Call): Promise<Reply> {
  const to = parseSuccessor(parseBody(await bodyOf(call.request, BODY_BYTES, 'body')))
  const { role } = glance(node)
  if (role === 'leader' && to === node.id) return json(200, { leader: to })
  try {
    return json(200, { leader: await firstValueFrom(node.transfer(to)) })
  } catch (error) {
    return replyToWrite(error, call.url, glance(node))
  }
}

/** Of this server alone: each takes its own. */
export async function takeSnapshot({ node }: Service): Promise<Reply> {
  return json(200, { index: await firstValueFrom(node.snapshot()) })
}
