import { merge, Subject, type ObservedValueOf } from 'rxjs'
import type { Storage } from 'rxraft'
import { memory } from 'rxraft/storage/memory'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually, start, stopAll } from './support.ts'

afterEach(stopAll)

describe('a leader whose disk is full', () => {
  it('refuses writes and answers reads until there is room [F20][bug 59]', async () => {
    const room$ = new Subject<ObservedValueOf<ReturnType<Storage>>>()
    const storage: Storage = (request$) => merge(request$.pipe(memory()), room$)
    const { put, ask } = await start({ storage })
    await eventually(async () => (await ask('/readyz')).status === 200 || undefined)
    expect((await put('x', 'before')).status).toBe(200)
    room$.next({ type: 'space', isShort: true })
    expect(await put('x', 'meanwhile')).toMatchObject({
      status: 507,
      headers: { 'retry-after': '1' },
      json: { error: 'no-space', outcome: 'none' },
    })
    expect((await ask('/kv/x')).text).toBe('before')
    room$.next({ type: 'space', isShort: false })
    expect((await put('x', 'after')).status).toBe(200)
  })
})
