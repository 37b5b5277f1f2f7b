import { concat, distinctUntilChanged, map, mergeMap, of, timer } from 'rxjs'
import { describe, it } from 'vitest'
import { NotLeader, Timeout } from '../../lib/errors.ts'
import { marbles } from '../operators/support.ts'
import { names, three, write, type Journal } from './support.ts'

const groups = { p: [['a']], q: [['c']], h: undefined }
const sets = { n: [], a: ['a'], b: ['b'], c: ['c'], x: ['a', 'b'] }

const termsOf = (servers: Journal, id: string) =>
  servers
    .watch(id, (node) => node.status$)
    .pipe(
      map(({ term }) => term),
      distinctUntilChanged(),
    )
const appliedBy = (servers: Journal, id: string) =>
  servers.watch(id, (node) => node.commits$).pipe(map(({ command }) => command))

describe('a leader that is cut off', () => {
  it('steps down within the longest election timeout, and follows when it is back [F2][bug 71]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const partitions$ = hot('------------------------------p--------------------------------h-----------', groups)
      const end = '            -------------------------------------------------------------------------|'
      const leads = '          n-----------------a---------------------------------x-----n----------------|'
      const leaderOfA = '      n-----------------a-------------------------n-----------------------b------|'
      const leaderOfB = '      n-------------------a-----------------------n-------b----------------------|'
      const leaderOfC = '      n-------------------a----------------------------n----b--------------------|'
      const servers = three(scheduler, { partitions$ })
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(servers.leader$('a')).toBe(leaderOfA, names)
      expectObservable(servers.leader$('b')).toBe(leaderOfB, names)
      expectObservable(servers.leader$('c')).toBe(leaderOfC, names)
      servers.connect(hot(end))
    })
  })

  it('is not missed: the majority goes on, and what only it knew is given up', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const partitions$ = hot('------------------------------p-----------------------------h--------------', groups)
      const toA$ = hot('       -------------------------x------y------------------------------------------')
      const toB$ = hot('       -------------------------------------------------------z-------------------')
      const end = '            -------------------------------------------------------------------------|'
      const atA = '            -----------------------------x-------------------------------------z-----|'
      const atB = '            -------------------------------x---------------------------z-------------|'
      const atC = '            -------------------------------x-----------------------------z-----------|'
      const servers = three(scheduler, { partitions$ })
      expectObservable(appliedBy(servers, 'a')).toBe(atA)
      expectObservable(appliedBy(servers, 'b')).toBe(atB)
      expectObservable(appliedBy(servers, 'c')).toBe(atC)
      write(servers, 'a', toA$)
      write(servers, 'b', toB$)
      servers.connect(hot(end))
    })
  })

  it('lets nobody wait: proposals and questions fail in bounded time [F5][bug 71]', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const partitions$ = hot('------------------------------p--------------------------------------------', groups)
      const asked = '          --------------------------------(x|)'
      const late = '           -----------------------------------------------------------------(x|)'
      const end = '            ---------------------------------------------------------------------------|'
      const proposed = '       --------------------------------q-----------------------------#'
      const answered = '       --------------------------------------------------------------#'
      const refused = '        -----------------------------------------------------------------#'
      const servers = three(scheduler, { partitions$ })
      const node = servers.node('a')
      const propose = (word: string) =>
        node.propose(word, { timeout: 30 }).pipe(map(({ type }) => type[0]))
      const query = () => node.query('all', { timeout: 30 })
      expectObservable(cold(asked).pipe(mergeMap(propose))).toBe(proposed, undefined, new Timeout(30, 'unknown'))
      expectObservable(cold(asked).pipe(mergeMap(query))).toBe(answered, undefined, new NotLeader(undefined))
      expectObservable(cold(late).pipe(mergeMap(propose))).toBe(refused, undefined, new NotLeader(undefined))
      servers.connect(hot(end))
    })
  })
})

describe('a follower that is cut off', () => {
  it('raises no term, and deposes nobody when it is back [F2][bug 45]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const partitions$ = hot('------------------------------q 200ms h----------', groups)
      const end = '            ------------------------------- 200ms ----------|'
      const leads = '          n-----------------a------------ 200ms ----------|'
      const termAtA = '        0---1-------------------------- 200ms ----------|'
      const termAtC = '        0---------------1-------------- 200ms ----------|'
      const leaderOfC = '      n-------------------a---------------------------n 183ms ----a-----|'
      const servers = three(scheduler, { partitions$ })
      const terms = { 0: 0, 1: 1, 2: 2 }
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(termsOf(servers, 'a')).toBe(termAtA, terms)
      expectObservable(termsOf(servers, 'c')).toBe(termAtC, terms)
      expectObservable(servers.leader$('c')).toBe(leaderOfC, names)
      servers.connect(hot(end))
    })
  })

  it('may come and go as it likes [F2]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const flapping$ = timer(30, 7).pipe(map((i) => (i % 3 === 0 ? undefined : [['c']])))
      const end = '  500ms |'
      const leads = 'n-----------------a 481ms |'
      const servers = three(scheduler, { partitions$: flapping$ })
      expectObservable(servers.leaders$).toBe(leads, sets)
      servers.connect(hot(end))
    })
  })

  it('catches up with what it has missed', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const partitions$ = hot('-----------------------q----------------------------h--------------', groups)
      const words$ = hot('     -------------------------x----y----z-------------------------------')
      const end = '            ------------------------------------------------------------------|'
      const atC = '            ----------------------------------------------------------(xyz)---|'
      const servers = three(scheduler, { partitions$ })
      expectObservable(appliedBy(servers, 'c')).toBe(atC)
      write(servers, 'a', words$)
      servers.connect(hot(end))
    })
  })
})

describe('a cluster in three pieces', () => {
  it('has no leader, and has one soon after it is whole again [F2]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const apart = { p: [['a'], ['b'], ['c']], h: undefined }
      const partitions$ = hot('------------------------------p------------------------------h-------------------', apart)
      const end = '            --------------------------------------------------------------------------------|'
      const leads = '          n-----------------a-----------------------------n-----------------a-------------|'
      const servers = three(scheduler, { partitions$ })
      expectObservable(servers.leaders$).toBe(leads, sets)
      servers.connect(hot(end))
    })
  })
})
