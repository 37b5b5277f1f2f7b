import { filter, lastValueFrom, map, mergeMap, NEVER, take, toArray, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { Compacted, ConfigError } from '../../lib/errors.ts'
import { commitsFrom } from '../../operators/commitsFrom.ts'
import type { Applied, Commit, RaftNode } from '../../operators/engine/node.ts'
import { raft } from '../../operators/engine/raft.ts'
import { propose } from '../../operators/propose.ts'
import { journal, three, write } from '../scenarios/support.ts'
import { marbles } from './support.ts'

type Source = Pick<RaftNode<string, unknown>, 'commits$' | 'restored$' | 'history'>

/** The commit whose index and command are the marble. */
const commit = (marble: string): Commit<string> => ({
  index: Number(marble),
  term: 1,
  command: marble,
})
const outcome = (marble: string): Applied<string, unknown> => ({
  ...commit(marble),
  ok: true,
  result: undefined,
})

/** A node that has applied some commands already, and gives at most `limit` of them at once. */
const node = (
  applied: string,
  commits$: Observable<string>,
  limit = 1000,
  restored$: Observable<number> = NEVER,
): Source => ({
  commits$: commits$.pipe(map(outcome)),
  restored$,
  history: (from) =>
    [...applied]
      .map(commit)
      .filter(({ index }) => index >= from)
      .slice(0, limit),
})

const commits = Object.fromEntries([...'123456789'].map((marble) => [marble, commit(marble)]))

describe('commitsFrom', () => {
  it('errors when a snapshot jumps over what is due, and goes on when it does not', () => {
    marbles(({ hot, expectObservable }) => {
      const commits$ = hot('-----4-------9-')
      const early$ = hot('  ---r-----------', { r: 3 })
      const jump$ = hot('   --------r------', { r: 8 })
      const due = '         (23)-4-------9-'
      const over = '        (23)-4--#'
      const jumped = new Compacted(5, 9)
      expectObservable(commitsFrom(node('123', commits$, 9, early$), 2)).toBe(due, commits)
      expectObservable(commitsFrom(node('123', commits$, 9, jump$), 2)).toBe(over, commits, jumped)
    })
  })

  it('emits the past from its index, then live', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const applied = '    123'
      const commits$ = hot('-----4--5---|')
      const whole = '       ^-----------!'
      const result = '      (23)-4--5---|'
      const source = node(applied.trim(), commits$)
      expectObservable(commitsFrom(source, 2)).toBe(result, commits)
      expectSubscriptions(commits$.subscriptions).toBe(whole)
    })
  })

  it('emits everything from the first command on', () => {
    marbles(({ hot, expectObservable }) => {
      const commits$ = hot('-----4--5---|')
      const result = '      (123)4--5---|'
      expectObservable(commitsFrom(node('123', commits$), 1)).toBe(result, commits)
    })
  })

  it('waits for an index that is not there yet', () => {
    marbles(({ hot, expectObservable }) => {
      const commits$ = hot('-----4--5--6---|')
      const result = '      --------5--6---|'
      expectObservable(commitsFrom(node('123', commits$), 5)).toBe(result, commits)
    })
  })

  it('reads a long past in pieces', () => {
    marbles(({ hot, expectObservable }) => {
      const commits$ = hot('--------7---|')
      const result = '      (23456)-7---|'
      expectObservable(commitsFrom(node('123456', commits$, 2), 2)).toBe(result, commits)
    })
  })

  it('emits nothing twice, where the past and the present overlap', () => {
    marbles(({ hot, expectObservable }) => {
      const commits$ = hot('------(345)-|')
      const result = '      (1234)5-----|'
      expectObservable(commitsFrom(node('1234', commits$), 1)).toBe(result, commits)
    })
  })

  it('passes over what is not a command: the entries between are the cluster’s own', () => {
    marbles(({ hot, expectObservable }) => {
      const commits$ = hot('-----5--7--|')
      const result = '      (24)-5--7--|'
      expectObservable(commitsFrom(node('24', commits$), 1)).toBe(result, commits)
    })
  })

  it('tells of commits and not of their outcomes', () => {
    marbles(({ hot, expectObservable }) => {
      const failed: Applied<string, unknown> = { ...commit('4'), ok: false, error: 'no' }
      const source: Source = { ...node('', hot('')), commits$: hot('-x-|', { x: failed }) }
      expectObservable(commitsFrom(source, 1)).toBe('-4-|', commits)
    })
  })

  it('errors with the node, and with what the history throws', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(commitsFrom(node('1', hot('-2-#')), 1)).toBe('12-#', commits)
      const compacted: Source = {
        ...node('', hot('')),
        history: () => {
          throw new Compacted(1, 5)
        },
      }
      expectObservable(commitsFrom(compacted, 1)).toBe('#', undefined, new Compacted(1, 5))
    })
  })

  it('stops in the middle of the past when nobody wants more', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const commits$ = hot('-----4--')
      const result = '      (12|)'
      const source = node('123', commits$)
      expectObservable(commitsFrom(source, 1).pipe(take(2))).toBe(result, commits)
      expectSubscriptions(commits$.subscriptions).toBe([])
    })
  })

  it('is cold: each subscription has its own past', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const commits$ = hot('-----4--5---')
      const until = '       ------!'
      const early = '       3----4'
      const late = '        -------3'
      const commit$ = commitsFrom(node('123', commits$), 3)
      expectObservable(commit$, until).toBe(early, commits)
      expectObservable(commit$, '-------^!').toBe(late, commits)
      expectSubscriptions(commits$.subscriptions).toBe(['^-----!', '-------^!'])
    })
  })
})

describe('commitsFrom, of a server', () => {
  const end = '              ---------------------------------|'

  it('reads the log, then goes on live, without the entries of the leader’s own', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const words$ = hot('   --------------x-------y----z-----')
      const early = '        ----------------x-------y----z---|'
      const late = '         -----------------------xy----z---|'
      const lateFrom = '     -----------------------^'
      const other = '        -------------------x-------y----z|'
      const servers = three(scheduler)
      const said = (id: string) =>
        commitsFrom(servers.node(id), 1).pipe(map(({ command }) => command))
      expectObservable(said('a')).toBe(early)
      expectObservable(said('a'), lateFrom).toBe(late)
      expectObservable(said('b')).toBe(other)
      write(servers, 'a', words$)
      servers.connect(hot(end))
    })
  })

  it('finds after a restart what the disk holds, once it is committed again', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const words$ = hot('   --------------x------------------')
      const crash$ = hot('   ---------------------c-----------')
      const restart$ = hot(' -------------------------c-------')
      const commits = '      -------------------x--------x----|'
      const servers = three(scheduler, { crash$, restart$ })
      const said$ = servers.watch('c', (node) => commitsFrom(node, 1))
      expectObservable(said$.pipe(map(({ command }) => command))).toBe(commits)
      write(servers, 'a', words$)
      servers.connect(hot(end))
    })
  })

  it('sees every commit once, wherever in a step it is subscribed to', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const words$ = hot('   -------------(xyz)------u--------')
      const result = '       ---------------(xyz)------u------|'
      const servers = three(scheduler)
      const node = servers.node('a')
      const first = <T>(source: Observable<T>, when: (value: T) => boolean) =>
        source.pipe(
          filter(when),
          take(1),
          mergeMap(() => commitsFrom(node, 1)),
          map(({ command }) => command),
        )
      expectObservable(first(node.status$, ({ appliedIndex }) => appliedIndex > 1)).toBe(result)
      expectObservable(first(node.commits$, () => true)).toBe(result)
      expectObservable(first(node.commits$, ({ command }) => command === 'y')).toBe(result)
      expectObservable(first(node.trace$, () => node.history(1).length > 0)).toBe(result)
      write(servers, 'a', words$)
      servers.connect(hot(end))
    })
  })

  it('reads the past of a node that is stopped, and no future', async () => {
    const node = raft({ id: 'a', machine: journal })
    const running = node.connect()
    await lastValueFrom(propose(node)(['x', 'y']))
    running.unsubscribe()
    const past = await lastValueFrom(commitsFrom(node, 1).pipe(toArray()))
    expect(past.map(({ command }) => command)).toEqual(['x', 'y'])
  })

  it('errors when its index cannot be', async () => {
    const node = raft({ id: 'a', machine: journal })
    for (const index of [0, -1, 1.5, NaN]) {
      await expect(lastValueFrom(commitsFrom(node, index))).rejects.toBeInstanceOf(ConfigError)
    }
  })
})
