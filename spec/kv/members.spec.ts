import { NotLeader } from 'rxraft'
import { afterEach, describe, expect, it } from 'vitest'
import { events, type ServerSent } from '../../kv/events.ts'
import { open } from '../../kv/exchange.ts'
import { replyToWrite } from '../../kv/replies.ts'
import { cluster, type Cluster } from './cluster.ts'
import {
  alone,
  aNumber,
  aText,
  ask,
  containing,
  eventually,
  led,
  places,
  start,
  stopAll,
  stuck,
  type Running,
} from './support.ts'

afterEach(stopAll)

interface Member {
  readonly id: string
  readonly role: string
}

const post = (it: Running, body: object | string, path = '/members') =>
  it.ask(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })

/** Such as `a:voter d:learner`. */
const shown = (members: unknown): string =>
  (members as Member[]).map(({ id, role }) => `${id}:${role}`).join(' ')

const addressOf = ({ places }: Cluster, id: string) => ({ [id]: places[id]! })

describe('GET /members', () => {
  it('tells who is in the cluster, in which part, and where', async () => {
    const it = await cluster('ab')
    const leader = await it.leader()
    const [peer, http] = it.places['b']!.split(' ')
    expect(await (await it.follower()).ask('/members')).toMatchObject({
      status: 200,
      json: {
        index: 0,
        leader: leader.node.id,
        members: [{ id: 'a' }, { id: 'b', role: 'voter', peer, http }],
      },
    })
  })

  it('is linearizable, and stale only when it is asked to be', async () => {
    const { ask } = await start({ ...alone(), queryTimeout: 100 })
    expect(await ask('/members')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    const stale = await ask('/members?consistency=stale')
    expect(stale).toMatchObject({ status: 200, json: { leader: null } })
    expect(shown(stale.json['members'])).toBe('a:voter b:voter c:voter')
  })
})

describe('POST /members', () => {
  it('takes a server in, which then has what was written before, and votes', async () => {
    const it = await cluster('ab', 'c')
    const leader = await it.leader()
    await leader.put('x', 'before')
    const plan = { voters: ['c'], addresses: addressOf(it, 'c') }
    const reply = await post(leader, plan)
    expect(reply).toMatchObject({ status: 200, json: { index: aNumber } })
    expect(shown(reply.json['members'])).toBe('a:voter b:voter c:voter')
    expect((await it.server('c').ask('/kv/x')).text).toBe('before')
    // Once more changes nothing.
    expect(await post(leader, plan)).toMatchObject({ status: 200, json: reply.json })
  })

  it('takes learners in, promotes and demotes them', async () => {
    const it = await cluster('ab', 'c')
    const leader = await it.leader()
    const change = async (plan: object) => shown((await post(leader, plan)).json['members'])
    const learner = { learners: ['c'], addresses: addressOf(it, 'c') }
    expect(await change(learner)).toBe('a:voter b:voter c:learner')
    expect(await change({ voters: ['c'] })).toBe('a:voter b:voter c:voter')
    expect(await change({ learners: ['c'] })).toBe('a:voter b:voter c:learner')
  })

  it('changes several at once, and refuses what is not expected any more', async () => {
    const it = await cluster('ab', 'c')
    const leader = await it.leader()
    const other = leader.node.id === 'a' ? 'b' : 'a'
    const plan = { voters: ['c'], remove: [other], addresses: addressOf(it, 'c'), expected: 0 }
    const { status, json } = await post(leader, plan)
    expect(status).toBe(200)
    expect(shown(json['members'])).toBe(`${leader.node.id}:voter c:voter`)
    expect(await post(leader, { ...plan, remove: ['c'], voters: [] })).toMatchObject({
      status: 409,
      json: { error: 'change-refused', reason: 'conflict', outcome: 'none', message: aText },
    })
  })

  it('sends whom it does not concern to the leader, also to one that joined later', async () => {
    const it = await cluster('ab', 'c')
    const leader = await it.leader()
    const follower = await it.follower()
    expect(await post(follower, { voters: [] })).toMatchObject({
      status: 307,
      headers: { location: `${leader.url}/members` },
      json: { error: 'not-leader', leader: leader.node.id },
    })
    await post(leader, { voters: ['c'], addresses: addressOf(it, 'c') })
    await post(leader, { to: 'c' }, '/transfer')
    const location = `${it.server('c').url}/kv/x`
    await eventually(async () => {
      const reply = await follower.put('x', 'x')
      return (reply.status === 307 && reply.headers['location'] === location) || undefined
    })
  })

  it.each([
    ['', 200],
    ['nonsense', 400],
    ['[]', 400],
    ['null', 400],
    ['{"voter":["b"]}', 400],
    ['{"voters":"b"}', 400],
    ['{"voters":[""]}', 400],
    ['{"voters":[1]}', 400],
    [`{"voters":["${'x'.repeat(256)}"]}`, 400],
    ['{"voters":["b"],"learners":["b"],"addresses":{"b":"127.0.0.1:1,http://127.0.0.1:2"}}', 400],
    ['{"voters":["b"]}', 400],
    ['{"voters":["toString"]}', 400],
    ['{"voters":["b"],"addresses":{"b":"127.0.0.1:1"}}', 400],
    ['{"voters":["b"],"addresses":{"b":7}}', 400],
    ['{"addresses":null}', 400],
    ['{"priorities":{"a":101}}', 400],
    ['{"priorities":{"a":"1"}}', 400],
    ['{"priorities":null}', 400],
    ['{"priorities":{"b":1}}', 404],
    ['{"priorities":{"a":1}}', 200],
    ['{"expected":-1}', 400],
    ['{"expected":"0"}', 400],
    [`{"voters":[${'"x",'.repeat(20_000)}"x"]}`, 413],
    ['{"remove":["b"]}', 404],
    ['{"remove":["a"]}', 409],
  ])('is asked %j', async (body, status) => {
    const it = await cluster('a')
    const reply = await post(await it.leader(), body)
    expect(reply.status, reply.text).toBe(status)
    if (status >= 400) expect(reply.json).toMatchObject({ error: aText, message: aText })
  })
})

describe('priorities', () => {
  it('let a server that comes with a higher one lead when it has kept up', async () => {
    const it = await cluster('ab', 'c')
    const leader = await it.leader()
    const plan = { voters: ['c'], addresses: addressOf(it, 'c'), priorities: { c: 2 } }
    expect((await post(leader, plan)).json['members']).toMatchObject([
      { id: 'a' },
      { id: 'b' },
      { id: 'c', priority: 2 },
    ])
    await eventually(async () => (await leader.ask('/status')).json['leader'] === 'c' || undefined)
    expect((await post(leader, { priorities: { c: 0 } })).status).toBe(307)
  })
})

describe('a change that cannot be now', () => {
  it('is 503 without a leader', async () => {
    const it = await start(alone())
    expect(await post(it, {})).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      json: { error: 'change-refused', reason: 'notLeader', outcome: 'none' },
    })
  })

  it('is sent to a leader elsewhere', async () => {
    const it = await start(led())
    await eventually(async () => (await it.ask('/status')).json['leader'] ?? undefined)
    const reply = await it.ask('/members/a%20b', { method: 'DELETE' })
    expect(reply.headers['location']).toBe('http://127.0.0.1:8002/members/a%20b')
  })

  it('is 503 at a leader that has committed nothing', async () => {
    const it = await start(stuck())
    await eventually(async () => (await it.ask('/status')).json['role'] === 'leader' || undefined)
    expect(await post(it, { remove: ['c'] })).toMatchObject({
      status: 503,
      json: { error: 'change-refused', reason: 'early' },
    })
  })

  it('is 503 when too few of those who are to vote are heard, and 409 while another goes on', async () => {
    const it = await cluster('a', 'b')
    const leader = await it.leader()
    const absent = { z: '127.0.0.1:1 http://127.0.0.1:2' }
    const slow = post(leader, { voters: ['z'], addresses: absent })
    expect(
      await eventually(async () => {
        const reply = await post(leader, { voters: ['b'], addresses: addressOf(it, 'b') })
        return reply.status === 409 ? reply : undefined
      }),
    ).toMatchObject({ json: { error: 'change-refused', reason: 'busy' } })
    // The newcomer that does not come stays a learner, until it is removed.
    expect(await slow).toMatchObject({ status: 503, json: { reason: 'slow' } })
    expect(shown((await leader.ask('/members')).json['members'])).toBe('a:voter z:learner')
    expect((await leader.ask('/members/z', { method: 'DELETE' })).status).toBe(200)
  })

  it('is 504 when the leader is deposed meanwhile: its outcome is unknown [F42]', async () => {
    const it = await cluster('ab')
    const leader = await it.leader()
    const follower = await it.follower()
    const absent = { z: '127.0.0.1:1 http://127.0.0.1:2' }
    const going = post(leader, { voters: ['z'], addresses: absent })
    await eventually(
      async () => shown((await leader.ask('/members')).json['members']).includes('z') || undefined,
    )
    follower.stop()
    expect(await going).toMatchObject({
      status: 504,
      json: { error: 'change-refused', reason: 'deposed', outcome: 'unknown' },
    })
  })
})

describe('a leader that hands over', () => {
  it('sends nobody to itself: who asks there again would ask for ever [F49]', () => {
    const voters = ['a', 'b']
    const members = {
      ...{ index: 0, voters, outgoing: [], learners: [], witnesses: [] },
      addresses: places,
    }
    const reply = (leader: string) =>
      replyToWrite(new NotLeader(leader), '/x', { id: 'a', members })
    expect(reply('a').status).toBe(503)
    expect(reply('b')).toMatchObject({
      status: 307,
      headers: { location: 'http://127.0.0.1:8002/x' },
    })
  })
})

describe('a change whose progress is asked for', () => {
  const headers = { accept: 'text/event-stream' }
  const told = async (it: Running, plan: object) => {
    const body = Buffer.from(JSON.stringify(plan))
    const question = { method: 'POST', path: '/members', headers, body } as const
    const all: ServerSent[] = []
    for await (const event of events(await open(it.url, question, 10_000))) all.push(event)
    return all.map(({ event, data }) => ({ event, data: data && (JSON.parse(data) as object) }))
  }

  it('ends with its answer', async () => {
    const it = await cluster('a', 'b')
    const all = await told(await it.leader(), { voters: ['b'], addresses: addressOf(it, 'b') })
    expect(all.at(-1)).toMatchObject({ event: 'done', data: { index: aNumber } })
    expect(all.slice(0, -1).every(({ event }) => event === 'progress')).toBe(true)
  })

  it('ends with what went wrong', async () => {
    const it = await cluster('a')
    const leader = await it.leader()
    for (let i = 0; i < 20; i++) await leader.put(`${i}`, 'x')
    const absent = { z: '127.0.0.1:1 http://127.0.0.1:2' }
    const all = await told(leader, { voters: ['z'], addresses: absent })
    expect(all[0]).toMatchObject({ event: 'progress', data: { type: 'catchingUp', left: aNumber } })
    expect(all.at(-1)).toMatchObject({ event: 'error', data: { status: 503, reason: 'slow' } })
  })

  it('is refused like any other while nothing was told', async () => {
    const it = await cluster('a')
    const leader = await it.leader()
    const body = JSON.stringify({ expected: 9 })
    expect(await ask(leader.url, '/members', { method: 'POST', headers, body })).toMatchObject({
      status: 409,
      json: { reason: 'conflict' },
    })
  })
})

describe('DELETE /members/ID', () => {
  it('has a server leave; one that is no member is not found', async () => {
    const it = await cluster('abc')
    const leader = await it.leader()
    const { id } = (await it.follower()).node
    const gone = await leader.ask(`/members/${id}`, { method: 'DELETE' })
    expect(gone).toMatchObject({ status: 200, json: { index: aNumber } })
    expect(shown(gone.json['members'])).not.toContain(id)
    expect(await leader.ask(`/members/${id}`, { method: 'DELETE' })).toMatchObject({
      status: 404,
      json: { error: 'not-found', message: containing(id) },
    })
    expect((await leader.ask('/members/', { method: 'DELETE' })).status).toBe(400)
  })

  it('of the leader has it hand over first, and sends the client there', async () => {
    const it = await cluster('abc')
    const leader = await it.leader()
    const { id } = leader.node
    const sent = await leader.ask(`/members/${id}`, { method: 'DELETE' })
    expect(sent.status).toBe(307)
    const successor = String(sent.headers['location'])
    const gone = await eventually(async () => {
      const reply = await ask(new URL(successor).origin, `/members/${id}`, { method: 'DELETE' })
      return reply.status === 200 ? reply : undefined
    })
    expect(shown(gone.json['members'])).not.toContain(id)
    expect((await leader.ask('/status')).json['role']).not.toBe('leader')
  })
})

describe('a leader that leaves together with others', () => {
  it('hands over to one that stays, so that nobody is sent round in a circle [F49]', async () => {
    const it = await cluster('abcde')
    const leader = await it.leader()
    const staying = ['a', 'b', 'c', 'd', 'e'].filter((id) => id !== leader.node.id).slice(3)
    const remove = ['a', 'b', 'c', 'd', 'e'].filter((id) => !staying.includes(id))
    const sent = await post(leader, { remove })
    expect(sent.status).toBe(307)
    expect(staying.map((id) => `${it.server(id).url}/members`)).toContain(sent.headers['location'])
  })
})

describe('POST /transfer', () => {
  it('has another server lead', async () => {
    const it = await cluster('abc')
    const { id } = (await it.follower()).node
    const before = await it.leader()
    expect(await post(before, { to: id }, '/transfer')).toMatchObject({
      status: 200,
      json: { leader: id },
    })
    const now = await eventually(async () => {
      const leader = await it.leader()
      return leader.node.id === before.node.id ? undefined : leader
    })
    expect(now.node.id).toBe(id)
    expect((await post(now, { to: id }, '/transfer')).json).toEqual({ leader: id })
    const { leader } = (await post(now, '', '/transfer')).json
    expect(['a', 'b', 'c'].filter((it) => it !== id)).toContain(leader)
  })

  it('to nobody is 409, from a follower 307, in bad words 400', async () => {
    const it = await cluster('abc')
    expect(await post(await it.leader(), { to: 'z' }, '/transfer')).toMatchObject({
      status: 409,
      json: { error: 'transfer-failed', reason: 'nobody' },
    })
    expect((await post(await it.follower(), {}, '/transfer')).status).toBe(307)
    for (const body of ['x', '{"to":1}', '{"To":"a"}', '{"to":""}']) {
      expect((await post(await it.leader(), body, '/transfer')).status).toBe(400)
    }
  })
})

describe('POST /snapshot', () => {
  it('tells through which index it stands for the log', async () => {
    const it = await cluster('a')
    const leader = await it.leader()
    const { index } = (await leader.put('x', 'x')).json
    expect(await post(leader, '', '/snapshot')).toMatchObject({ status: 200, json: { index } })
    expect((await leader.ask('/status')).json['snapshotIndex']).toBe(index)
  })
})
