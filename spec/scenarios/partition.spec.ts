import { map, mergeMap, timer } from 'rxjs'
import { describe, it } from 'vitest'
import { NotLeader, Timeout } from '../../lib/errors.ts'
import { marbles } from '../operators/support.ts'
import { appliedBy, names, sets, termsOf, three, write } from './support.ts'

const groups = { p: [['a']], q: [['c']], x: [['a'], ['b'], ['c']], h: undefined }

describe('a leader that is cut off', () => {
  it('steps down within the longest election timeout, and follows when it is back [F2][bug 71]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const cut$ = hot('   -----------------p------------------h------', groups)
      const end = '        -------------------------------------------|'
      // For 1 ms both lead, in different terms: only one of them can commit.
      const leads = '      n---------a---------------xb---------------|'
      const leaderOfA = '  n---------a----------------n-----------b---|'
      const leaderOfB = '  n----------a----------n---b----------------|'
      const leaderOfC = '  n----------a-------------n-b---------------|'
      const servers = three(scheduler, { partitions$: cut$ })
      expectObservable(servers.leaders$).toBe(leads, { ...sets, x: ['a', 'b'] })
      expectObservable(servers.leader$('a')).toBe(leaderOfA, names)
      expectObservable(servers.leader$('b')).toBe(leaderOfB, names)
      expectObservable(servers.leader$('c')).toBe(leaderOfC, names)
      servers.connect(hot(end))
    })
  })

  it('is not missed: the majority goes on, and what only it knew is given up', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const cut$ = hot('   ------------------p-----------------h----------', groups)
      const toA$ = hot('   -------------x-----y---------------------------')
      const toB$ = hot('   ----------------------------------z------------')
      const end = '        -----------------------------------------------|'
      const appliedByA = ' ---------------x---------------------------z---|'
      const appliedByB = ' -----------------x------------------z----------|'
      const appliedByC = ' -----------------x---------------------z-------|'
      const servers = three(scheduler, { partitions$: cut$ })
      expectObservable(appliedBy(servers, 'a')).toBe(appliedByA)
      expectObservable(appliedBy(servers, 'b')).toBe(appliedByB)
      expectObservable(appliedBy(servers, 'c')).toBe(appliedByC)
      write(servers, 'a', toA$)
      write(servers, 'b', toB$)
      servers.connect(hot(end))
    })
  })

  it('lets nobody wait: proposals and questions fail in bounded time [F5][bug 71]', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const cut$ = hot('  -----------------p---------------------------', groups)
      const early = '     ------------------(x|)'
      const late = '      -----------------------------------(x|)'
      const end = '       ---------------------------------------------|'
      const proposed = '  ------------------q-------------------#'
      const asked = '     --------------------------------------#'
      const tooLate = '   -----------------------------------#'
      const servers = three(scheduler, { partitions$: cut$ })
      const node = servers.node('a')
      const propose = (word: string) =>
        node.propose(word, { timeout: 20 }).pipe(map(({ type }) => type[0]))
      const query = () => node.query('all', { timeout: 20 })
      const nobody = new NotLeader(undefined)
      const unknown = new Timeout(20, 'unknown')
      expectObservable(cold(early).pipe(mergeMap(propose))).toBe(proposed, undefined, unknown)
      expectObservable(cold(early).pipe(mergeMap(query))).toBe(asked, undefined, nobody)
      expectObservable(cold(late).pipe(mergeMap(propose))).toBe(tooLate, undefined, nobody)
      servers.connect(hot(end))
    })
  })
})

describe('a follower that is cut off', () => {
  it('raises no term, and deposes nobody when it is back [F2][bug 45]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const cut$ = hot('   -----------------q----------- 200ms h-----', groups)
      const end = '        ----------------------------- 200ms ------|'
      const leads = '      n---------a------------------ 200ms ------|'
      const termOfA = '    0-------1-------------------- 200ms ------|'
      const termOfC = '    0--------1------------------- 200ms ------|'
      const leaderOfC = '  n----------a-------------n--- 201ms a----|'
      const servers = three(scheduler, { partitions$: cut$ })
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(termsOf(servers, 'a')).toBe(termOfA, { 0: 0, 1: 1 })
      expectObservable(termsOf(servers, 'c')).toBe(termOfC, { 0: 0, 1: 1 })
      expectObservable(servers.leader$('c')).toBe(leaderOfC, names)
      servers.connect(hot(end))
    })
  })

  it('may come and go as it likes [F2]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const flapping$ = timer(15, 5).pipe(map((i) => (i % 3 === 0 ? undefined : [['c']])))
      const end = '  500ms |'
      const leads = 'n---------a 489ms |'
      const servers = three(scheduler, { partitions$: flapping$ })
      expectObservable(servers.leaders$).toBe(leads, sets)
      servers.connect(hot(end))
    })
  })

  it('catches up with what it has missed', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const cut$ = hot('   -------------q------------------h-------------', groups)
      const words$ = hot(' -----------------x----y----z------------------')
      const end = '        ----------------------------------------------|'
      const appliedByC = ' ---------------------------------------(xyz)--|'
      const servers = three(scheduler, { partitions$: cut$ })
      expectObservable(appliedBy(servers, 'c')).toBe(appliedByC)
      write(servers, 'a', words$)
      servers.connect(hot(end))
    })
  })
})

describe('a cluster in three pieces', () => {
  it('has no leader, and has one soon after it is whole again [F2]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const cut$ = hot(' -----------------x-------------------h-------------', groups)
      const end = '      ---------------------------------------------------|'
      const leads = '    n---------a----------------n--------------b--------|'
      const servers = three(scheduler, { partitions$: cut$ })
      expectObservable(servers.leaders$).toBe(leads, sets)
      servers.connect(hot(end))
    })
  })
})
