import { concatMap, map, mergeMap, of, pipe, take, timer } from 'rxjs'
import type { TestScheduler } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { memory } from '../../adapters/storage/memory.ts'
import { Overloaded, Timeout } from '../../lib/errors.ts'
import type { DiskRequest } from '../../lib/storage.ts'
import type { NodeId } from '../../lib/types.ts'
import { marbles } from '../operators/support.ts'
import { appliedBy, sets, termsOf, three, write } from './support.ts'

/** Disks on which one save after another takes so many ms, on some servers, from a moment on. */
const slow = (scheduler: TestScheduler, ms: number, servers: string, since = 0) => ({
  storage: (id: NodeId) =>
    pipe(
      concatMap((save: DiskRequest) => {
        const isSlow = servers.includes(id) && scheduler.now() >= since
        return timer(isSlow ? ms : 0, scheduler).pipe(map(() => save))
      }),
      memory(),
    ),
})

describe('a slow disk', () => {
  // Twenty ms for a save, where patience is 6 to 12.
  const end = '         ---------------------------------------------|'
  const words = '       -------------x-------------------------------'
  const leads = '       n---------a----------------------------------|'

  it('of the leader holds up no commit: two others are a quorum [F21][bug 44]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const appliedByA = '---------------x-----------------------------|'
      const servers = three(scheduler, slow(scheduler, 20, 'a', 12))
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(appliedBy(servers, 'a')).toBe(appliedByA)
      write(servers, 'a', hot(words))
      servers.connect(hot(end))
    })
  })

  it('of one follower holds up no commit', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const appliedByA = '---------------x-----------------------------|'
      const appliedByC = '-------------------x-------------------------|'
      const servers = three(scheduler, slow(scheduler, 20, 'c', 12))
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(appliedBy(servers, 'a')).toBe(appliedByA)
      expectObservable(appliedBy(servers, 'c')).toBe(appliedByC)
      write(servers, 'a', hot(words))
      servers.connect(hot(end))
    })
  })

  it('of a quorum makes commits wait for it, and nobody thinks that the leader is gone [F21]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const appliedByA = '-----------------------------------x---------|'
      const appliedByC = '--------------------------------------x------|'
      const servers = three(scheduler, slow(scheduler, 20, 'bc', 12))
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(appliedBy(servers, 'a')).toBe(appliedByA)
      expectObservable(appliedBy(servers, 'c')).toBe(appliedByC)
      write(servers, 'a', hot(words))
      servers.connect(hot(end))
    })
  })

  it('of everybody makes the cluster slow, and moves no term [F21]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const words$ = hot(' -------------x--y----------------------------------------')
      const end = '        ---------------------------------------------------------|'
      const appliedByA = ' -----------------------------------x-------------------y-|'
      const leads = '      n---------a----------------------------------------------|'
      const term = '       0-------1------------------------------------------------|'
      const servers = three(scheduler, slow(scheduler, 20, 'abc', 12))
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(appliedBy(servers, 'a')).toBe(appliedByA)
      expectObservable(termsOf(servers, 'a')).toBe(term, { 0: 0, 1: 1 })
      write(servers, 'a', words$)
      servers.connect(hot(end))
    })
  })

  it('holds back a vote until it is on it (§5.2)', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      // Asked in advance at 6 and answered at 8; its own vote is on disk at 9, another's at 11.
      const end = '  -------------------------|'
      const leads = 'n-----------a------------|'
      const servers = three(scheduler, slow(scheduler, 1, 'abc'))
      expectObservable(servers.leaders$).toBe(leads, sets)
      servers.connect(hot(end))
    })
  })
})

describe('a disk that hangs', () => {
  const never = 1e6

  it('on a quorum lets nobody wait for ever [F21][bug 44]', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const word = '    -------------(x|)'
      const progress = '-------------q---------------#'
      const end = '     --------------------------------|'
      const servers = three(scheduler, slow(scheduler, never, 'bc', 12))
      const propose = (it: string) => servers.node('a').propose(it, { timeout: 16 })
      const proposed$ = cold(word).pipe(
        mergeMap(propose),
        map(({ type }) => type[0]),
      )
      expectObservable(proposed$).toBe(progress, undefined, new Timeout(16, 'unknown'))
      servers.connect(hot(end))
    })
  })

  // The word is on its way to the leader's disk at 13, and on the others' at 14; 12 ms are too long.
  const words = '      -------------x-----------y-----------'
  const end = '        -------------------------------------|'

  it('on the leader: it hands over within the limit, loses no write and takes others [F21]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const leads = '  n---------a--------------n--b--------|'
      const termOfA = '0-------1------------------2---------|'
      const byB = '    -----------------x------------y-z----|'
      const servers = three(scheduler, { ...slow(scheduler, never, 'a', 12), diskStall: 12 })
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(termsOf(servers, 'a')).toBe(termOfA, { 0: 0, 1: 1, 2: 2 })
      expectObservable(appliedBy(servers, 'b')).toBe(byB)
      write(servers, 'a', hot(words))
      hot('    -----------------------------z').subscribe((word) => write(servers, 'b', of(word)))
      servers.connect(hot(end))
    })
  })

  /** Proposes 100 bytes each ms while disks hang; how many are refused, and how many wait for a disk. */
  const flood = (hanging: string) => {
    const waiting: Record<NodeId, number> = { a: 0, b: 0, c: 0 }
    let refused = 0
    marbles(({ hot }, scheduler) => {
      const words$ = timer(14, 1).pipe(take(100))
      const maxUncommittedBytes = 1024
      const servers = three(scheduler, {
        ...slow(scheduler, never, hanging, 12),
        maxUncommittedBytes,
      })
      words$.subscribe(() =>
        servers.node('a').submit('x'.repeat(100), {
          applied: () => undefined,
          failed: (error) => error instanceof Overloaded && refused++,
        }),
      )
      for (const id of servers.ids) {
        const steps$ = servers.watch(id, (node) => node.trace$)
        steps$.subscribe((it) => {
          if (it.type === 'step') waiting[id] = it.step.state.saving.length
        })
      }
      servers.connect(hot('130ms |'))
    })
    return { refused, waiting }
  }

  it('on a quorum: the leader takes in no more than its limit [F21][F72]', () => {
    const { refused, waiting } = flood('bc')
    expect(refused).toBeGreaterThan(80)
    expect(waiting['a']).toBe(0)
  })

  // What counts today is what is not committed, and the others commit without the leader's disk.
  it('on the leader alone: it takes in no more than its limit [F21][F72]', () => {
    const { refused, waiting } = flood('a')
    expect(refused).toBeGreaterThan(80)
    expect(waiting['a']).toBeLessThan(20)
  })
})
