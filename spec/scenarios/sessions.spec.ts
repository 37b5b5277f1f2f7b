import { concatMap, map, of, retry, throwError, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { Session } from '../../lib/sessions.ts'
import type { NodeId } from '../../lib/types.ts'
import type { Progress, RequestName } from '../../operators/engine/node.ts'
import { marbles } from '../operators/support.ts'
import { retrying } from './retrying.ts'
import { appliedBy, sets, three, write, type Journal } from './support.ts'

const groups = { p: [['a']], h: undefined }

/** Each step of a proposal as its first letter, the result as a word. */
const told = map<Progress<string>, string>((progress) => {
  if (progress.type === 'applied') return `${progress.result} ${progress.index}`
  return progress.type === 'abandoned' ? 'x' : progress.type[0]!
})

/** What was abandoned is tried again too. */
const insisting = (progress$: Observable<Progress<string>>) =>
  progress$.pipe(
    concatMap((it) => (it.type === 'abandoned' ? throwError(() => it.reason) : of(it))),
    retry(),
  )

/** A client with a session of its own, which proposes the same word to one server after the other. */
function client(servers: Journal, word: string) {
  let session: Session | undefined
  const heard: string[] = []
  const hear = (id: NodeId): void => {
    const request: RequestName = { session: session!, sequence: 0 }
    servers
      .node(id)
      .propose(word, { request, timeout: 1000 })
      .pipe(told)
      .subscribe({
        next: (it) => heard.push(`${id} ${it}`),
        error: (error: unknown) => heard.push(`${id} ${String(error)}`),
      })
  }
  return {
    heard,
    open: (id: NodeId) =>
      servers
        .node(id)
        .session()
        .subscribe((it) => (session = it)),
    hear,
  }
}

describe('a command that is proposed again', () => {
  it('elsewhere, when its leader was cut off after it had taken it in, is applied once [F43]', () => {
    let heard: string[] = []
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      // The word reaches `b` and `c`, and their answers do not reach `a`.
      const cut$ = hot('    ---------------------p--------------h------------', groups)
      const toA = '         ---------------s---p'
      const toB = '         ---------------------------------p----p----------'
      const end = '         -------------------------------------------------|'
      const leads = '       n---------a-------------------n-b----------------|'
      const appliedByA = '  -----------------------------------------x-------|'
      const appliedByB = '  ----------------------------------x--------------|'
      const servers = three(scheduler, { partitions$: cut$ })
      const its = client(servers, 'x')
      heard = its.heard
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(appliedBy(servers, 'a')).toBe(appliedByA)
      expectObservable(appliedBy(servers, 'b')).toBe(appliedByB)
      cold(toA).subscribe((move) => (move === 's' ? its.open('a') : its.hear('a')))
      cold(toB).subscribe(() => its.hear('b'))
      servers.connect(hot(end))
    })
    expect(heard).toEqual([
      'a q',
      // `b` has it in its log already, and takes it in again; later it has applied it and knows.
      ...['b q', 'b r', 'b c', 'b x 3'],
      ...['b r', 'b c', 'b x 3'],
      ...['a r', 'a c', 'a x 3'],
    ])
  })

  it('by retry() alone, on a leader that was cut off and follows now, is applied once', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const cut$ = hot('    ---------------------p--------------h------------', groups)
      const toA = '         -------------------(x|)'
      const end = '         -------------------------------------------------|'
      // Its word is in the log twice: `a` takes the second attempt in while it still believes to lead.
      const progress = '    -------------------q---------q------------(f|)'
      const applied = '     ----------------------------------x--------------|'
      const servers = three(scheduler, { partitions$: cut$ })
      const progress$ = cold(toA).pipe(
        concatMap((word) => insisting(servers.node('a').propose(word, { timeout: 10 }))),
        told,
      )
      expectObservable(progress$).toBe(progress, { q: 'q', r: 'r', c: 'c', f: 'x 3' })
      expectObservable(appliedBy(servers, 'b')).toBe(applied)
      servers.connect(hot(end))
    })
  })

  it('after every server has restarted, is applied once', () => {
    let heard: string[] = []
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const crash$ = hot('  -------------------------(abc)--------------------------------')
      const restart$ = hot('------------------------------(abc)---------------------------')
      const toA = '         --------------s----p-----------------------------p'
      const end = '         --------------------------------------------------------------|'
      const leads = '       n---------a--------------n--------------a---------------------|'
      const servers = three(scheduler, { crash$, restart$ })
      const its = client(servers, 'x')
      heard = its.heard
      expectObservable(servers.leaders$).toBe(leads, sets)
      cold(toA).subscribe((move) => (move === 's' ? its.open('a') : its.hear('a')))
      servers.connect(hot(end))
    })
    expect(heard).toEqual(['a q', 'a r', 'a c', 'a x 3', 'a r', 'a c', 'a x 3'])
  })

  it('by retry() alone, after a snapshot took its place, is applied once [F43]', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const cut$ = hot(
        '    ---------------------p------------------------h-----------------------------',
        groups,
      )
      const toA = '         -------------------(x|)'
      const toB$ = hot('    -----------------------------------yz----------------------------')
      const end =
        '         -----------------------------------------------------------------------------|'
      const progress = '    -------------------q-----------------------------(rcf|)'
      const restored =
        '    -------------------------------------------------r---------------------------|'
      const servers = three(scheduler, {
        ...{ partitions$: cut$, snapshotEntries: 4, snapshotTailBytes: 0 },
      })
      const progress$ = cold(toA).pipe(
        concatMap((word) => insisting(servers.node('a').propose(word, { timeout: 100 }))),
        told,
      )
      expectObservable(progress$).toBe(progress, { q: 'q', r: 'r', c: 'c', f: 'x 3' })
      expectObservable(servers.watch('a', (it) => it.restored$)).toBe(restored, { r: 4 })
      write(servers, 'b', toB$)
      servers.connect(hot(end))
    })
  })
})

describe('words that are proposed again until they are answered', () => {
  const seeds = Array.from({ length: 10 }, (_, i) => i + 1)
  const runs = new Map(seeds.map((seed) => [seed, retrying(seed)]))

  it.each(seeds)('are written once, through crashes, cuts and snapshots: seed %i', (seed) => {
    const { answers, written } = runs.get(seed)!
    const [words] = written
    for (const other of written) expect(other).toEqual(words)
    expect(new Set(words).size).toBe(words!.length)
    for (const [word, place] of answers) {
      if (place !== undefined) expect(words![place - 1]).toBe(word)
      if (word.startsWith('any')) expect(place, word).toBeDefined()
    }
  })

  it('are answered for the most part, and through snapshots that were taken over', () => {
    const all = [...runs.values()]
    const places = all.flatMap(({ answers }) => [...answers.values()])
    expect(Math.max(...all.map(({ installs }) => installs))).toBeGreaterThan(3)
    expect(places.filter((it) => it === undefined).length).toBeLessThan(places.length / 3)
  })
})
