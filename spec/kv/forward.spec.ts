import { expect, it } from 'vitest'
import { cluster } from './cluster.ts'
import { aNumber } from './support.ts'

it('a server that passes writes on answers them itself, and has what it was told [F43]', async () => {
  const { follower, leader } = await cluster('abc', '', { forward: true })
  const { ask, put } = await follower()
  expect(await put('x', 'one')).toMatchObject({ status: 200, json: { index: aNumber } })
  expect((await ask('/kv/x?consistency=stale')).text).toBe('one')
  const condition = { 'if-none-match': '*' }
  expect((await put('x', 'two', condition)).status).toBe(412)
  expect((await ask('/kv/x', { method: 'DELETE' })).status).toBe(200)
  expect((await (await leader()).ask('/kv/x')).status).toBe(404)
})

it('sends those with a time to live to the leader, whose time it is', async () => {
  const { follower } = await cluster('abc', '', { forward: true })
  const { ask } = await follower()
  const put = { method: 'PUT', body: 'one' }
  expect((await ask('/kv/x?ttl=30', put)).status).toBe(307)
  expect((await ask('/kv/x', put)).status).toBe(200)
})

it('one that does not sends them to the leader', async () => {
  const { follower } = await cluster('abc')
  expect((await (await follower()).put('x', 'one')).status).toBe(307)
})
