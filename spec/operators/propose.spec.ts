import { EMPTY, NEVER, Observable, Subject, timer } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { CommandFailed, NotLeader, Overloaded, Stopped, Superseded } from '../../lib/errors.ts'
import type { Leader, RaftNode } from '../../operators/engine/node.ts'
import { raft } from '../../operators/engine/raft.ts'
import { propose } from '../../operators/propose.ts'
import { FakeNode } from './fakes.ts'
import { marbles, uncaughtDuring } from './support.ts'

type Proposer = Pick<RaftNode<string, string>, 'leader$' | 'room$' | 'submit'>

/** A node that leads when `leader$` says so, and commits 2 ms after it has taken a command in. */
const leadingWhile = (leader$: Observable<Leader | undefined>): Proposer => {
  let leader: Leader | undefined
  return {
    room$: NEVER,
    leader$: new Observable((subscriber) => {
      subscriber.next(leader)
      return leader$.subscribe((now) => {
        leader = now
        subscriber.next(now)
      })
    }),
    submit: (command, settle) => {
      if (leader?.id !== 'a') return settle.failed(new NotLeader(leader?.id))
      timer(2).subscribe(() => settle.applied(command.toUpperCase(), 1, 1))
    },
  }
}

const leaders = { l: { id: 'a', term: 1 }, o: { id: 'b', term: 2 }, u: undefined }

describe('propose', () => {
  it('emits the results in the order of the values, after a commit each', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot(' -a-b----c---|')
      const leader$ = hot('l-----------', leaders)
      const result = '     ---A-B----C-|'
      const whole = '      ^-----------!'
      const node = leadingWhile(leader$)
      node.leader$.subscribe()
      expectObservable(propose(node)(source)).toBe(result)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('waits while no leader is known', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot(' -a-b--------|')
      const leader$ = hot('u-----l-----', leaders)
      const result = '     --------(AB)|'
      const node = leadingWhile(leader$)
      node.leader$.subscribe()
      expectObservable(propose(node)(source)).toBe(result)
    })
  })

  it('errors when another server leads', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot(' -a----------|')
      const leader$ = hot('u-----o-----', leaders)
      const result = '     ------#'
      const whole = '      ^-----!'
      const node = leadingWhile(leader$)
      node.leader$.subscribe()
      expectObservable(propose(node)(source)).toBe(result, undefined, new NotLeader('b'))
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('proposes again what another leader’s entry took the place of, and keeps the order', () => {
    const node = new FakeNode()
    const results: string[] = []
    propose(node)(['a', 'b']).subscribe((result) => results.push(result))
    node.fail(new Superseded(1))
    node.apply()
    expect(results).toEqual([])
    node.apply()
    expect(results).toEqual(['A', 'B'])
  })

  it.each([
    ['CommandFailed', new CommandFailed(1, 'no')],
    ['NotLeader', new NotLeader('b')],
    ['Stopped', new Stopped('unknown')],
  ])('errors with %s', (_name, error) => {
    const node = new FakeNode()
    let thrown: unknown
    propose(node)(['a', 'b']).subscribe({ error: (it: unknown) => (thrown = it) })
    node.fail(error)
    expect(thrown).toBe(error)
  })

  it('waits while the node is overloaded, and begins again when there is room [bug 52]', () => {
    const node = new FakeNode()
    const results: string[] = []
    propose(node)(['a', 'b']).subscribe((result) => results.push(result))
    node.fail(new Overloaded('too much'))
    node.fail(new Overloaded('too much'))
    expect(node.submitted).toEqual([])
    node.makeRoom()
    node.fail(new Overloaded('too much'))
    node.apply()
    expect(node.submitted).toEqual([])
    node.makeRoom()
    node.apply()
    expect(results).toEqual(['A', 'B'])
    expect(node.isHopedFor).toBe(false)
  })

  it('errors when the node stops while it is overloaded', () => {
    const node = new FakeNode()
    let thrown: unknown
    propose(node)(['a']).subscribe({ error: (it: unknown) => (thrown = it) })
    node.fail(new Overloaded('too much'))
    node.stop()
    expect(thrown).toBeInstanceOf(Stopped)
  })

  it('completes with an empty source, and errors with its source', () => {
    marbles(({ hot, expectObservable }) => {
      const node = new FakeNode()
      expectObservable(propose(node)(EMPTY)).toBe('|')
      expectObservable(propose(node)(hot('-a-#'))).toBe('---#')
    })
  })

  it('lets a real node commit everything of one turn at once', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const machine = {
        initial: 0,
        apply: (sum: number, by: number) => [sum + by, sum + by] as const,
      }
      const node = raft({ id: 'a', machine, scheduler, electionTimeout: [4, 5], heartbeat: 1 })
      const source = hot('-(ab)-----c--|', { a: 1, b: 2, c: 3 })
      const result = '    -----(ab)-c--|'
      const running = node.connect() // Elected 4 ms later.
      timer(20).subscribe(() => running.unsubscribe())
      expectObservable(propose(node)(source)).toBe(result, { a: 1, b: 3, c: 6 })
    })
  })
})

describe('propose, when the node ends while commands wait for a leader', () => {
  const waiting = () => {
    const node = new FakeNode()
    const heard: unknown[] = []
    propose(node)(['a']).subscribe({
      error: (error: unknown) => heard.push(error),
      complete: () => heard.push('complete'),
    })
    node.fail()
    return { node, heard }
  }

  it('ends when the node stops, rather than wait for ever', () => {
    const { node, heard } = waiting()
    node.stop()
    expect(heard).toEqual([new Stopped('none')])
  })

  it('errors when the node fails, and reports nothing elsewhere', async () => {
    const { node, heard } = waiting()
    const uncaught = await uncaughtDuring(() => node.crash(new Error('disk')))
    expect(uncaught).toEqual([])
    expect(heard).toHaveLength(1)
  })
})

describe('propose, once it is unsubscribed', () => {
  it('does not propose again what was superseded', () => {
    const node = new FakeNode()
    propose(node)(['a']).subscribe().unsubscribe()
    node.fail(new Superseded(1))
    expect(node.submitted).toEqual([])
  })

  it('does not begin to wait for a leader', () => {
    const node = new FakeNode()
    propose(node)(['a']).subscribe().unsubscribe()
    node.fail()
    expect(node.isWatched).toBe(false)
  })

  it('lets go of the leader also when the wait ended at once', () => {
    const node = new FakeNode()
    node.follow({ id: 'b', term: 1 })
    propose(node)(['a']).subscribe({ error: () => undefined })
    node.fail()
    node.fail(new NotLeader('b'))
    expect(node.isWatched).toBe(false)
  })

  it('lets go of the leader and the source', () => {
    const node = new FakeNode()
    const input$ = new Subject<string>()
    const running = propose(node)(input$).subscribe()
    input$.next('a')
    node.fail()
    expect(node.isWatched).toBe(true)
    running.unsubscribe()
    expect([node.isWatched, input$.observed]).toEqual([false, false])
  })
})
