import { describe, expect, it } from 'vitest'
import { Pace } from '../../../adapters/storage/file/pace.ts'

function pace(isAlwaysBackground = false) {
  let now = 0
  const it = new Pace(isAlwaysBackground, () => now)
  const write = (ms: number): void => {
    const ended = it.begin()
    now += ms
    ended()
  }
  return { it, write }
}

describe('the pace of a disk', () => {
  it('is quick until a write takes over 40 ms [F21]', () => {
    const { it, write } = pace()
    for (const ms of [1, 40, 0.2, 39]) write(ms)
    expect(it.isQuick).toBe(true)
    write(41)
    expect(it.isQuick).toBe(false)
  })

  it('is quick again after 32 writes in a row of at most 10 ms', () => {
    const { it, write } = pace()
    write(5_000)
    for (let i = 0; i < 31; i++) write(10)
    write(11)
    for (let i = 0; i < 31; i++) write(10)
    expect(it.isQuick).toBe(false)
    write(10)
    expect(it.isQuick).toBe(true)
  })

  it('is never quick for who must not be held up', () => {
    const { it, write } = pace(true)
    for (let i = 0; i < 100; i++) write(0)
    expect(it.isQuick).toBe(false)
  })
})
