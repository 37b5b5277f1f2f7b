import { delay, map, of } from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { memory, memoryDisk } from '../../../adapters/storage/memory.ts'
import { storageLaws } from '../../laws/storage.ts'
import { batch, entriesOf, reopen, run, save, saveAll } from './run.ts'

storageLaws('memory', () => memory())

describe('memory', () => {
  it('restores at subscription and acknowledges as the save arrives', () => {
    const node = run(memory())
    expect(node.said).toHaveLength(1)
    node.save$.next(save(1, 1, 'a'))
    expect(node.said).toHaveLength(2)
    node.stop()
  })

  it('keeps its disk for whoever holds it', async () => {
    const disk = memoryDisk()
    await saveAll(memory(disk), [save(1, 1, 'a', batch(1, 1, ['x']))])
    expect(entriesOf((await reopen(memory(disk))).batches)).toEqual(['1@1 command x'])
    expect((await reopen(memory())).batches).toEqual([])
  })

  it('gives away what a later save does not change', async () => {
    const disk = memoryDisk()
    await saveAll(memory(disk), [save(1, 1, 'a', batch(1, 1, ['x', 'y']))])
    const before = disk.read()
    await saveAll(memory(disk), [save(1, 2, 'a', batch(2, 2, ['z']))])
    expect(entriesOf(before.batches)).toEqual(['1@1 command x', '2@1 command y'])
  })

  it('is as slow as the operator behind it, in virtual time', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
    scheduler.run(({ hot, expectObservable }) => {
      const saves = { a: save(1, 1, 'a'), b: save(2, 1, 'a') }
      const slow$ = memory()(hot('--a--b---|', saves)).pipe(
        map((it) => it.type),
        delay(3),
      )
      expectObservable(slow$).toBe('---R-s--s|', { R: 'restored', s: 'saved' })
    })
  })

  it('does nothing until it is subscribed', () => {
    const disk = memoryDisk()
    void memory(disk)(of(save(1, 1, 'a')))
    expect(disk.read().term).toBe(0)
  })
})
