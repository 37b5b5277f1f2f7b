import { firstValueFrom, from, lastValueFrom, mergeMap, toArray } from 'rxjs'
import { expect, it } from 'vitest'
import { CommandFailed, CommandTooLarge } from '../../../lib/errors.ts'
import { Closed, Failed, Rejected } from '../../../adapters/client/errors.ts'
import type { Codec } from '../../../operators/codec.ts'
import { Sites } from './bench.ts'

it('a command is applied, and what came of it comes back', async () => {
  const sites = await Sites.open()
  const client = sites.client()
  expect(await firstValueFrom(client.propose(2))).toMatchObject({ result: 'counted to 2' })
  expect(await firstValueFrom(client.propose(3))).toMatchObject({ result: 'counted to 5' })
  expect(await firstValueFrom(client.query('count'))).toBe(5)
})

it('what is emitted may be made of it, and what that throws is the error', async () => {
  const client = (await Sites.open()).client()
  const project = ({ result }: { readonly result: string }) => result.length
  expect(await firstValueFrom(client.propose(2, { project }))).toBe('counted to 2'.length)
  const broken$ = client.propose(3, {
    project: () => {
      throw new RangeError('cannot be made')
    },
  })
  await expect(firstValueFrom(broken$)).rejects.toThrow(new RangeError('cannot be made'))
  expect(await firstValueFrom(client.query('count'))).toBe(5)
})

it('whoever subscribes to one proposal at the same time or later hears of the same command', async () => {
  const client = (await Sites.open()).client()
  const counted$ = client.propose(2)
  const heard: unknown[] = []
  const left = counted$.subscribe(() => heard.push('left'))
  const first = firstValueFrom(counted$)
  const second = firstValueFrom(counted$)
  left.unsubscribe()
  const proposed = await first
  expect(await second).toEqual(proposed)
  expect(await firstValueFrom(counted$)).toEqual(proposed)
  expect(heard).toEqual([])
  expect(await firstValueFrom(client.query('count'))).toBe(2)
})

it('results travel as both ends say, and one that cannot be read ends the connection', async () => {
  const results: Codec<string> = {
    encode: (text) => new TextEncoder().encode(text.toUpperCase()),
    decode: (bytes) => `heard ${new TextDecoder().decode(bytes)}`,
  }
  const sites = await Sites.open('a', { results })
  const client = sites.client({ results })
  const { result } = await firstValueFrom(client.propose(2))
  expect(result).toBe('heard COUNTED TO 2')
  expect(await firstValueFrom(client.query('count'))).toBe(2)
  const deaf = sites.client({ timeout: 300 })
  await expect(firstValueFrom(deaf.propose(3))).rejects.toMatchObject({
    ...{ code: 'timeout', outcome: 'unknown' },
  })
  expect(await firstValueFrom(client.query('count'))).toBe(5)
})

it('a thousand at a time come back, each with its own answer, in the order in which they went', async () => {
  const client = (await Sites.open()).client()
  const ones = Array.from({ length: 1000 }, () => 1)
  const results = await lastValueFrom(
    from(ones).pipe(
      mergeMap((one) => client.propose(one)),
      toArray(),
    ),
  )
  expect(results.map(({ result }) => result)).toEqual(ones.map((_, i) => `counted to ${i + 1}`))
})

it('the leader is found from a follower that tells where it is', async () => {
  const places = new Map<string, string>()
  const sites = await Sites.open('abc', { addressOf: (id) => places.get(id) })
  const leader = await sites.leader()
  places.set(leader.id, leader.address)
  const { address } = await sites.follower()
  const client = sites.client({ servers: [address] })
  expect(await firstValueFrom(client.propose(1))).toMatchObject({ result: 'counted to 1' })
  expect(await firstValueFrom(client.query('count'))).toBe(1)
})

it('what another server leads is not asked of a follower that knows no address of it', async () => {
  const sites = await Sites.open()
  const { address } = await sites.follower()
  const { id } = await sites.leader()
  const client = sites.client({ servers: [address], timeout: 200 })
  await expect(firstValueFrom(client.propose(1))).rejects.toMatchObject({
    ...{ code: 'unreachable', outcome: 'none' },
    message: `no leader within 200 ms: ${address}: says that ${id} leads`,
  })
})

it('errors come back as what they are', async () => {
  const checkCommand = (by: number) => (by < 0 ? 'it counts down' : undefined)
  const sites = await Sites.open('a', { checkCommand }, { maxCommandBytes: 100 })
  const client = sites.client()
  const failed = expect(firstValueFrom(client.propose(1000))).rejects
  await failed.toBeInstanceOf(CommandFailed)
  await expect(firstValueFrom(client.propose(1000))).rejects.toThrow('too much')
  await expect(firstValueFrom(client.propose(-1))).rejects.toThrow(Rejected)
  await expect(firstValueFrom(client.propose('x'.repeat(101) as never))).rejects.toThrow(
    CommandTooLarge,
  )
  client.close()
  await expect(firstValueFrom(client.propose(1))).rejects.toThrow(Closed)
})

it('a question that the machine cannot answer errors with what it said', async () => {
  const machine = { initial: 0, apply: (n: number, by: number) => [n + by, 'x'] as const }
  const client = (await Sites.open('a', {}, { machine })).client()
  const answer = firstValueFrom(client.query('count'))
  await expect(answer).rejects.toBeInstanceOf(Failed)
  await expect(answer).rejects.toThrow('the state machine has no query function')
})
