import { NoState, NotLeader } from 'rxraft'
import { lastValueFrom } from 'rxjs'
import { idempotencyKeyOf, once } from './idempotency.ts'
import { changeMembers, listMembers, removeMember, takeSnapshot, transfer } from './memberRoutes.ts'
import type { Item, Outcome, Result, Write } from './machine.ts'
import { listedMembers } from './memberList.ts'
import { json, problem, replyTo, replyToWrite, unavailable, type Reply } from './replies.ts'
import { bodyOf, conditionOf, keyOf, wholeOf } from './requests.ts'
import { roundEnd } from './round.ts'
import { glance, query, type Call, type Handler, type Route, type Service } from './service.ts'
import { encodeValue } from './values.ts'
import { watch } from './watch.ts'

/** Bytes of values that one list carries. */
const LIST_BYTES = 4 * 1024 * 1024

/** Longest life of a key, in seconds: ten years. */
const MAX_TTL = 315_360_000

/** What can be done with what is at a path. */
const routes = new Map<string, Route>([
  ['/kv', route({ GET: list })],
  ['/watch', route({ GET: follow })],
  ['/members', route({ GET: listMembers, POST: changeMembers })],
  ['/transfer', route({ POST: transfer })],
  ['/snapshot', route({ POST: takeSnapshot })],
  ['/status', route({ GET: status })],
  ['/healthz', route({ GET: health })],
  ['/readyz', route({ GET: readiness })],
])

/** The same for paths that end in a name. */
const named = new Map<string, Route>([
  ['/kv/', route({ GET: read, PUT: put, DELETE: remove })],
  ['/members/', route({ DELETE: removeMember })],
])

function route(handlers: Readonly<Record<string, Handler>>): Route {
  return new Map(Object.entries(handlers))
}

/** What is at a path, with the name at its end, as it was sent. */
export function find(path: string): { readonly route: Route; readonly rest: string } | undefined {
  for (const [prefix, route] of named) {
    if (path.startsWith(prefix)) return { route, rest: path.slice(prefix.length) }
  }
  const route = routes.get(path)
  return route && { route, rest: '' }
}

async function put(service: Service, call: Call): Promise<Reply> {
  const key = keyOf(call.rest)
  const condition = conditionOf(call.request)
  const seconds = wholeOf(call.params.get('ttl'), 'ttl', 1, MAX_TTL)
  const value = await bodyOf(call.request, service.maxValueBytes)
  if (seconds === undefined) return write(service, call, ['put', key, value, condition])
  const now = glance(service.node)
  // The log's time is its leader's: a server that passed its own on might be behind, and the key would go early.
  if (now.role !== 'leader') return replyToWrite(new NotLeader(now.leader), call.url, now)
  const life = { ttl: 1000 * seconds, at: service.clock.now() }
  const reply = await write(service, call, ['put', key, value, condition, life])
  return reply.status === 200 ? withTtl(reply, seconds) : reply
}

const withTtl = (reply: Reply, seconds: number): Reply => ({
  ...reply,
  headers: { ...reply.headers, ttl: String(seconds) },
})

async function remove(service: Service, call: Call): Promise<Reply> {
  return write(service, call, ['delete', keyOf(call.rest), conditionOf(call.request)])
}

/** A client that goes away takes nothing back: what is proposed is waited for all the same. */
async function write({ node }: Service, call: Call, wanted: Write): Promise<Reply> {
  const name = idempotencyKeyOf(call.request)
  await roundEnd()
  try {
    const end = await lastValueFrom(node.propose(once(wanted, name)))
    if (end.type === 'abandoned') return replyTo(end.reason)
    if (end.type === 'applied') return replyToResult(end.result, end.term)
    throw new Error(`a proposal ended ${end.type}`)
  } catch (error) {
    return replyToWrite(error, call.url, glance(node), name !== undefined)
  }
}

function replyToResult(result: Result, term: number): Reply {
  if (!result.ok && result.reason === 'reused') {
    return problem(422, 'idempotency-key-reused', 'another request had this Idempotency-Key')
  }
  const reply = replyToOutcome(result, result.first?.term ?? term)
  if (result.first === undefined) return reply
  return { ...reply, headers: { ...reply.headers, 'idempotent-replayed': 'true' } }
}

function replyToOutcome(result: Outcome, term: number): Reply {
  const { version } = result
  if (result.ok) return json(200, { index: version, term })
  if (result.reason === 'not-found') return notFound()
  const found = version === 0 ? 'the key does not exist' : `the key's version is ${version}`
  return problem(412, 'condition-failed', found, {
    fields: { version: version === 0 ? null : version },
  })
}

const notFound = (): Reply => problem(404, 'not-found', 'the key does not exist')

async function read(service: Service, { rest, params }: Call): Promise<Reply> {
  const { items, now } = await query(service, params, { type: 'get', key: keyOf(rest) })
  const item = items[0]
  if (item === undefined) return notFound()
  const headers = { 'content-type': 'application/octet-stream', etag: `"${item.version}"` }
  const reply = { status: 200, headers, body: item.value }
  return item.expires === undefined ? reply : withTtl(reply, secondsTo(item.expires, now))
}

/** By the log's time: the same on every server that has applied as much of it. */
const secondsTo = (expires: number, now: number): number =>
  Math.max(0, Math.ceil((expires - now) / 1000))

async function list(service: Service, { params }: Call): Promise<Reply> {
  const { items, more, index, now } = await query(service, params, {
    type: 'list',
    prefix: params.get('prefix') ?? '',
    after: params.get('after') ?? '',
    limit: wholeOf(params.get('limit'), 'limit', 1, 1000) ?? 100,
    bytes: LIST_BYTES,
  })
  return json(200, { items: items.map((item) => listed(item, now)), more, index })
}

const listed = ({ key, version, value, expires }: Item, now: number) => ({
  ...{ key, version, ...encodeValue(value) },
  ...(expires !== undefined && { ttl: secondsTo(expires, now) }),
})

function follow({ node, history, keepAlive }: Service, { request, response, params }: Call) {
  const { id, leader, members, commitIndex } = glance(node)
  if (members.witnesses.includes(id)) throw new NoState(leader)
  const seen = wholeOf(request.headers['last-event-id']?.toString(), 'Last-Event-ID', 0)
  const asked = wholeOf(params.get('from'), 'from', 1)
  const from = seen === undefined ? asked : seen + 1
  watch(response, history, {
    prefix: params.get('prefix') ?? '',
    from: from ?? Math.max(history.last, commitIndex) + 1,
    ...(keepAlive === undefined ? {} : { keepAlive }),
  })
  return undefined
}

function status({ node }: Service): Reply {
  const { members, leader, fingerprint, ...now } = glance(node)
  return json(200, {
    ...{ ...now, leader: leader ?? null, fingerprint: fingerprint ?? null },
    members: listedMembers(members),
  })
}

function health({ node }: Service): Reply {
  glance(node)
  return json(200, { ok: true })
}

function readiness({ node }: Service): Reply {
  const { leader, appliedIndex, commitIndex } = glance(node)
  if (leader === undefined) return unavailable('no-leader', 'no leader is known')
  if (appliedIndex < commitIndex) {
    return unavailable('behind', `applied ${appliedIndex} of ${commitIndex} committed entries`)
  }
  return json(200, { ok: true })
}
