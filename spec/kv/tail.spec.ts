import type { Trace } from 'rxraft'
import { Subject } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import { History } from '../../kv/history.ts'
import { tail } from '../../kv/tail.ts'
import { containing, eventually, start, stopAll, type Running } from './support.ts'
import { traced } from './traced.ts'

afterEach(stopAll)

/** A cluster of one, which is a server like any other to those who watch. */
async function started(...args: Parameters<typeof start>): Promise<Running> {
  const running = await start(...args)
  await eventually(async () => (await running.ask('/readyz')).status === 200 || undefined)
  return running
}

const next = async (events: AsyncGenerator<string, void>) => {
  const { value } = await events.next()
  return (JSON.parse(value as string) as { key: string }).key
}

describe('watching from afar', () => {
  it('goes on at the next server after the last event that was seen [F52]', async () => {
    const [first, second] = [await started(), await started()]
    for (const key of ['1', '2', '3']) {
      await first.put(key, '')
      await second.put(key, '')
    }
    await second.put('4', '')
    const events = tail('/watch?from=1', { servers: [first.url, second.url] })
    for (const key of ['1', '2', '3']) expect(await next(events)).toBe(key)
    first.stop()
    expect(await next(events)).toBe('4')
    await events.return()
    await eventually(async () => (await second.clients()) === 0 || undefined)
  })

  it('goes on at another server when this one has forgotten what comes next [F52]', async () => {
    const trace$ = new Subject<Trace>()
    const restored$ = new Subject<number>()
    const first = await started({ service: { history: new History({ trace$, restored$ }) } })
    const second = await started()
    for (const key of ['1', '2']) await second.put(key, '')
    const { version } = ((await second.ask('/kv')).json['items'] as { version: number }[])[0]!
    const command = ['put', '1', Buffer.from(''), null] as const
    const events = tail(`/watch?from=${version}`, { servers: [first.url, second.url] })
    const seen = next(events)
    const result = { ok: true, version } as const
    trace$.next(traced({ index: version, term: 1, command, ok: true, result }))
    expect(await seen).toBe('1')
    restored$.next(100)
    expect(await next(events)).toBe('2')
    await events.return()
  })

  it('ends with an error when there is nobody, and when what it asks for is forgotten', async () => {
    const nobody = tail('/watch', { servers: ['http://127.0.0.1:1'] })
    await expect(nobody.next()).rejects.toMatchObject({ code: 'unreachable' })
    const { url, put } = await started({ limits: { changes: 1 } })
    for (const key of ['1', '2']) await put(key, '')
    await expect(tail('/watch?from=1', { servers: [url] }).next()).rejects.toMatchObject({
      status: 410,
      code: 'compacted',
      message: containing('no longer kept'),
    })
  })
})
