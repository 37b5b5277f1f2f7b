import { firstValueFrom, from, lastValueFrom, mergeMap, retry, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { clientOf, eventually, Sites, Wire } from './bench.ts'

/** What a counter that was told 1 so often answers. */
const counts = (n: number) => Array.from({ length: n }, (_, i) => `counted to ${i + 1}`)

const numberIn = (text: string): number => Number(/\d+$/.exec(text)![0])

describe('applied once', () => {
  it('whatever becomes of the leader: each command has an answer of its own', async () => {
    const sites = await Sites.open()
    const client = sites.client({ maxInFlight: 16 })
    const leader = await sites.leader()
    let answered = 0
    const results = await lastValueFrom(
      from(Array.from({ length: 600 }, () => 1)).pipe(
        mergeMap(async (one) => {
          const { result } = await firstValueFrom(client.propose(one))
          if (++answered === 200) leader.stop()
          return result
        }, 64),
        toArray(),
      ),
    )
    expect(results.sort((a, b) => numberIn(a) - numberIn(b))).toEqual(counts(600))
    expect(await firstValueFrom(client.query('count'))).toBe(600)
  })

  it('when the answer is lost on the way', async () => {
    const sites = await Sites.open('a')
    const wire = await Wire.to(sites.addresses[0]!)
    const client = clientOf({ servers: [wire.address] })
    await firstValueFrom(client.propose(1))
    wire.isDeaf = true
    const answer = firstValueFrom(client.propose(1))
    const { node } = sites.all[0]!
    await eventually(() => node.history(1).length === 2 || undefined)
    wire.isDeaf = false
    wire.cut()
    expect(await answer).toMatchObject({ result: 'counted to 2' })
    expect(await firstValueFrom(client.query('count'))).toBe(2)
    expect(wire.connections).toBe(2)
  })

  it('when it is tried again after its time is over', async () => {
    const sites = await Sites.open('a')
    const wire = await Wire.to(sites.addresses[0]!)
    const client = clientOf({ servers: [wire.address] })
    await firstValueFrom(client.propose(1))
    wire.isDeaf = true
    const proposal$ = client.propose(1, { timeout: 100 })
    await expect(firstValueFrom(proposal$)).rejects.toMatchObject({
      ...{ code: 'timeout', outcome: 'unknown' },
    })
    wire.isDeaf = false
    wire.cut()
    expect(await firstValueFrom(proposal$.pipe(retry()))).toMatchObject({ result: 'counted to 2' })
    expect(await firstValueFrom(proposal$)).toMatchObject({ result: 'counted to 2' })
    expect(await firstValueFrom(client.query('count'))).toBe(2)
  })

  it('after the session has expired, where that is certain', async () => {
    const sites = await Sites.open('a', {}, { maxSessions: 1 })
    const [first, second] = [sites.client(), sites.client()]
    await firstValueFrom(first.propose(1))
    await firstValueFrom(second.propose(1))
    expect(await firstValueFrom(first.propose(1))).toMatchObject({ result: 'counted to 3' })
  })
})

it('a leadership that is handed over takes its clients along', async () => {
  const sites = await Sites.open()
  const client = sites.client()
  await firstValueFrom(client.propose(1))
  const before = await sites.leader()
  const after = await sites.follower()
  await firstValueFrom(before.node.transfer(after.id))
  expect(await firstValueFrom(client.propose(1))).toMatchObject({ result: 'counted to 2' })
})

it('a server that takes too long to answer has refused nobody: it is asked again', async () => {
  const sites = await Sites.open('a')
  const wire = await Wire.to(sites.addresses[0]!)
  wire.isDeaf = true
  const short = { helloTimeout: 50, connectTimeout: 50, backoff: [1, 5] as const }
  const client = clientOf({ servers: [wire.address], ...short })
  const answer = firstValueFrom(client.propose(1))
  await eventually(() => wire.connections > 2 || undefined)
  wire.isDeaf = false
  expect(await answer).toMatchObject({ result: 'counted to 1' })
})
