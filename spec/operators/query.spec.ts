import {
  EMPTY,
  firstValueFrom,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  Subject,
  throwError,
  timer,
} from 'rxjs'
import { describe, expect, it } from 'vitest'
import { NotLeader, Overloaded, Stopped, Timeout } from '../../lib/errors.ts'
import type { QueryOptions, RaftNode } from '../../operators/engine/node.ts'
import { raft } from '../../operators/engine/raft.ts'
import { query } from '../../operators/query.ts'
import { journal, three } from '../scenarios/support.ts'
import { marbles } from './support.ts'

type Asked = Pick<RaftNode<never, never, string, string>, 'query' | 'room$'>

/** A node that answers in capitals, after so many ms. */
const answering = (ms: (question: string) => number): Asked => ({
  room$: NEVER,
  query: (question) => timer(ms(question)).pipe(map(() => question.toUpperCase())),
})

describe('query', () => {
  it('emits the answers in the order of the questions, after one round trip each', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot(' -(ab)---c---|')
      const whole = '      ^-----------!'
      const result = '     ---(AB)---C-|'
      expectObservable(query(answering(() => 2))(source)).toBe(result)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('keeps the order of the questions when the answers come in another', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot(' -a-b-c------|')
      const times = { a: 6, b: 2, c: 6 } as const
      const result = '     -------(AB)C|'
      const node = answering((question) => times[question as 'a'])
      expectObservable(query(node)(source)).toBe(result)
    })
  })

  it('completes when the source has, and every answer is out', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(query(answering(() => 4))(hot('-a|'))).toBe('-----(A|)')
      expectObservable(query(answering(() => 4))(EMPTY)).toBe('|')
    })
  })

  it('asks no more than `concurrency` questions at once', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('(abc)----------|')
      const result = '    ---A--B--C-----|'
      expectObservable(
        query(
          answering(() => 3),
          { concurrency: 1 },
        )(source),
      ).toBe(result)
    })
  })

  it.each([
    ['NotLeader', new NotLeader(undefined)],
    ['Timeout', new Timeout(5, 'none')],
    ['Stopped', new Stopped('none')],
    ['what the machine throws', new TypeError('no')],
  ])('errors with %s, and asks no further', (_, error) => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('-a-b-----')
      const whole = '     ^---!'
      const result = '    ----#'
      const node: Asked = {
        room$: NEVER,
        query: (question) =>
          question === 'a' ? NEVER : timer(1).pipe(mergeMap(() => throwError(() => error))),
      }
      expectObservable(query(node)(source)).toBe(result, undefined, error)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('waits while too many questions wait at the node, and asks again when there is room', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('-a-b---------|')
      const room$ = hot(' ------r------', { r: undefined })
      const result = '    -------(AB)--|'
      let isFree = false
      room$.subscribe(() => (isFree = true))
      const node: Asked = {
        room$,
        query: (question) =>
          isFree
            ? timer(1).pipe(map(() => question.toUpperCase()))
            : throwError(() => new Overloaded('too many')),
      }
      expectObservable(query(node)(source)).toBe(result)
    })
  })

  it('errors with its source, and beyond its buffer', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(query(answering(() => 9))(hot('-a-#'))).toBe('---#')
      const bounds = { concurrency: 1, buffer: 1 }
      const flooded$ = query(
        answering(() => 9),
        bounds,
      )(hot('-a-b-c---'))
      expectObservable(flooded$).toBe('-----#', undefined, new Overloaded('1 values wait already'))
    })
  })

  it('takes back its questions when it is unsubscribed, and can be used again', () => {
    const asked: string[] = []
    const taken: string[] = []
    const node: Asked = {
      room$: NEVER,
      query: (question) =>
        new Observable(() => {
          asked.push(question)
          return () => taken.push(question)
        }),
    }
    const input$ = new Subject<string>()
    const answers$ = query(node)(input$)
    expect(input$.observed).toBe(false)
    for (let round = 1; round <= 2; round++) {
      const running = answers$.subscribe()
      input$.next('a')
      input$.next('b')
      running.unsubscribe()
      expect(asked).toHaveLength(2 * round)
      expect(taken).toEqual(asked)
      expect(input$.observed).toBe(false)
    }
  })

  it('hands its options on', () => {
    const seen: unknown[] = []
    const node: Asked = {
      room$: NEVER,
      query: (_, options?: QueryOptions) => (seen.push(options), of('A')),
    }
    query(node, { consistency: 'stale', timeout: 7, concurrency: 3 })(['a']).subscribe()
    expect(seen).toMatchObject([{ consistency: 'stale', timeout: 7 }])
  })
})

describe('query, of the servers of a cluster', () => {
  it('is confirmed by one round trip, and one more where a follower asks its leader', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const write = '   -------------(w|)'
      const toLeader = '-----------------q---|'
      const byLeader = '-------------------w-|'
      const toOther = ' -----------------------q-------|'
      const byOther = ' ---------------------------w---|'
      const stale = '   -----------------------w-------|'
      const end = '     --------------------------------|'
      const servers = three(scheduler)
      const ask = (id: string, asked: string, options?: QueryOptions) =>
        query(servers.node(id), options)(hot(asked, { q: 'all' as const }))
      expectObservable(ask('a', toLeader)).toBe(byLeader)
      expectObservable(ask('b', toOther)).toBe(byOther)
      expectObservable(ask('b', toOther, { consistency: 'stale' })).toBe(stale)
      cold(write)
        .pipe(mergeMap((word) => servers.node('a').propose(word)))
        .subscribe()
      servers.connect(hot(end))
    })
  })

  it('sees what was acknowledged before it, on a server that has not heard of it yet', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const write = '   -------------(x|)'
      const progress = '-------------q-(rca|)'
      const asked = '   ---------------(q|)'
      const stale = '   ---------------(o|)'
      const fresh = '   -------------------(x|)'
      const end = '     ------------------------|'
      const servers = three(scheduler)
      const ask = (options?: QueryOptions) =>
        query(servers.node('c'), options)(hot(asked, { q: 'all' as const }))
      const written$ = cold(write).pipe(mergeMap((word) => servers.node('a').propose(word)))
      expectObservable(written$.pipe(map(({ type }) => type[0]))).toBe(progress)
      expectObservable(ask({ consistency: 'stale' })).toBe(stale, { o: '' })
      expectObservable(ask()).toBe(fresh)
      servers.connect(hot(end))
    })
  })

  it('waits out an election', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const crash$ = hot('------------------a-----------------')
      const asked = '     --------------------q|'
      const leads = '     n---------a-------n----------b------|'
      const answer = '    -------------------------------(o|)'
      const end = '       ------------------------------------|'
      const servers = three(scheduler, { crash$ })
      expectObservable(servers.leaders$).toBe(leads, { n: [], a: ['a'], b: ['b'] })
      expectObservable(query(servers.node('b'))(hot(asked, { q: 'all' as const }))).toBe(answer, {
        o: '',
      })
      servers.connect(hot(end))
    })
  })

  it('errors when nobody leads for longer than its timeout [F5]', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const asked = '     -----q|'
      const end = '       --------------------|'
      const answer = '    ------------#'
      const servers = three(scheduler, { partitions$: [[['a'], ['b'], ['c']]] })
      const answer$ = query(servers.node('b'), { timeout: 7 })(hot(asked, { q: 'all' as const }))
      expectObservable(answer$).toBe(answer, undefined, new NotLeader(undefined))
      servers.connect(hot(end))
    })
  })

  it('errors with the machine, and where the machine has no questions', async () => {
    const thrown = new TypeError('unheard of')
    const query = () => {
      throw thrown
    }
    type Case = readonly [machine: typeof journal, error: unknown]
    const cases: readonly Case[] = [
      [{ ...journal, query }, thrown],
      [
        { initial: '', apply: journal.apply },
        new TypeError('the state machine has no query function'),
      ],
    ]
    for (const [machine, error] of cases) {
      const node = raft({ id: 'a', machine })
      const answer$ = node.query('all', { consistency: 'stale' })
      await expect(firstValueFrom(answer$)).rejects.toEqual(error)
    }
  })
})
