import {
  concat,
  finalize,
  map,
  merge,
  NEVER,
  pipe,
  Subject,
  take,
  tap,
  type Observable,
  type Subscription,
} from 'rxjs'
import { TestScheduler, type RunHelpers } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import {
  cutWhile,
  duplicate,
  latency,
  loss,
  network,
  reorder,
  type LinkOperator,
  type Network,
  type Partition,
} from '../../../adapters/transport/memory.ts'
import { ConfigError } from '../../../lib/errors.ts'
import type { Envelope } from '../../../lib/messages.ts'
import { transportLaws } from '../../laws/transport.ts'
import { pulse } from './station.ts'

transportLaws('memory', () => {
  const net = network()
  return (id) => net.join(id)
})

const run = (picture: (helpers: RunHelpers) => void): void =>
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(picture)

/** An envelope for each letter: `x` is a pulse whose round is the letter's code. */
const letter = (from: string, to: string, name: string): Envelope => ({
  from,
  to,
  message: pulse(name.charCodeAt(0)),
})

const letters =
  (to: string): ((name: string) => Envelope) =>
  (name) =>
    letter('a', to, name)

/** What a server hears, as letters: capital when they come from b. */
const heard = map((said: unknown) => {
  const { from, message } = said as Envelope
  const name = message.type === 'heartbeat' ? String.fromCharCode(message.round) : '?'
  return from === 'b' ? name.toUpperCase() : name
})

/** What the server hears while it says this. */
const on = (net: Network, id: string, says: Observable<Envelope> = NEVER): Observable<string> =>
  says.pipe(net.join(id), heard)

describe('the memory network', () => {
  it('delivers at once, in the order of sending', () => {
    run(({ hot, expectObservable }) => {
      const net = network()
      const a$ = hot('       --x--(yz)--', undefined).pipe(map(letters('b')))
      expectObservable(on(net, 'b')).toBe('--x--(yz)--')
      expectObservable(on(net, 'a', a$)).toBe('-----------')
    })
  })

  it('puts the link of each direction between two servers', () => {
    run(({ hot, expectObservable }) => {
      const net = network({ link: (from) => latency(from === 'a' ? 3 : 1) })
      const a$ = hot('      -xy-------').pipe(map((name) => letter('a', 'b', name)))
      const b$ = hot('      -x--------').pipe(map((name) => letter('b', 'a', name)))
      expectObservable(on(net, 'b', b$)).toBe('----xy----')
      expectObservable(on(net, 'a', a$)).toBe('--X-------')
    })
  })

  it('cuts partitions, and heals them [F2]', () => {
    run(({ hot, expectObservable }) => {
      const groups = { p: [['a'], ['b', 'c']], q: [['a', 'b']], h: undefined }
      const partitions$ = hot<Partition>('---p-----q---h--', groups)
      const net = network({ partitions$ })
      const toB$ = hot('            x-x-x-x-x-x-x-x-').pipe(map(letters('b')))
      const fromC$ = hot('          -y-y-y-y-y-y-y-y').pipe(map((n) => letter('c', 'b', n)))
      expectObservable(on(net, 'b')).toBe('xyxy-y-y--x-xyxy')
      expectObservable(on(net, 'a', toB$)).toBe('----------------')
      expectObservable(on(net, 'c', fromC$)).toBe('----------------')
    })
  })

  it('cuts single directions [F2]', () => {
    run(({ hot, expectObservable }) => {
      const cuts$ = hot('    ---c----h---', { c: [['a', 'b']] as const, h: [] })
      const net = network({ cuts$ })
      const a$ = hot('       -x--x--x-x--').pipe(map((name) => letter('a', 'b', name)))
      const b$ = hot('       -x--x--x-x--').pipe(map((name) => letter('b', 'a', name)))
      expectObservable(on(net, 'b', b$)).toBe('-x-------x--')
      expectObservable(on(net, 'a', a$)).toBe('-X--X--X-X--')
    })
  })

  it('loses what is on its way when the cut falls, and what is sent while it lasts', () => {
    run(({ hot, expectObservable }) => {
      const partitions$ = hot<Partition>('---p--h-----', { p: [['a']], h: undefined })
      const net = network({ partitions$, link: () => latency(2) })
      const a$ = hot('        x-y-z-v-w---').pipe(map(letters('b')))
      expectObservable(on(net, 'b')).toBe('--x-----v-w-')
      expectObservable(on(net, 'a', a$)).toBe('------------')
    })
  })

  it('loses what is on its way to a server that leaves, also when it is back [F1]', () => {
    run(({ hot, expectObservable }) => {
      const net = network({ link: () => latency(4) })
      const a$ = hot('        x--y--z-------').pipe(map(letters('b')))
      expectObservable(on(net, 'a', a$)).toBe('--------------')
      expectObservable(on(net, 'b'), '^----!').toBe('----x')
      expectObservable(on(net, 'b'), '-----^').toBe('----------z---')
    })
  })

  it('delivers what a server said before it left, but not once it is back [F1]', () => {
    run(({ cold, hot, expectObservable }) => {
      const net = network({ link: () => latency(4) })
      const first$ = hot('   -x-y----------').pipe(map(letters('b')))
      const second$ = cold('      -z--------').pipe(map(letters('b')))
      expectObservable(on(net, 'b')).toBe('-----x-----z--')
      expectObservable(on(net, 'a', first$), '^---!').toBe('-----')
      expectObservable(on(net, 'a', second$), '------^').toBe('--------------')
    })
  })

  it('leaves no work behind: two servers that answer each other end with their subscriptions', () => {
    run(({ hot, expectObservable }) => {
      const net = network({ link: () => latency(1) })
      const answering = (
        id: string,
        to: string,
        first$: Observable<string>,
      ): Observable<string> => {
        const answer$ = new Subject<string>()
        const says$ = merge(first$, answer$).pipe(map((name) => letter(id, to, name)))
        return on(net, id, says$).pipe(tap((name) => answer$.next(name.toLowerCase())))
      }
      const first$ = hot('                              x--').pipe(take(1))
      expectObservable(answering('b', 'a', NEVER), '     ^------!').toBe('-x-x-x--')
      expectObservable(answering('a', 'b', first$), '    ^------!').toBe('--X-X-X-')
    })
  })

  it('takes down the links to a server that leaves, and from one that is back', () => {
    let ended = 0
    const net = network({ link: () => finalize(() => ended++) })
    const stay = (id: string, ...says: readonly Envelope[]): Subscription =>
      concat(says, NEVER).pipe(net.join(id)).subscribe()
    const b = stay('b')
    const a = stay('a', letter('a', 'b', 'x'), letter('a', 'b', 'y'))
    expect(ended).toBe(0)
    a.unsubscribe()
    expect(ended).toBe(0)
    const again = stay('a')
    expect(ended).toBe(1)
    again.unsubscribe()
    stay('a', letter('a', 'b', 'z'))
    b.unsubscribe()
    expect(ended).toBe(2)
  })

  it('refuses a second stay of a server while the first lasts [F36]', () => {
    const net = network()
    const errors: unknown[] = []
    const first = NEVER.pipe(net.join('a')).subscribe()
    const error = (cause: unknown): number => errors.push(cause)
    NEVER.pipe(net.join('a')).subscribe({ error })
    expect(errors).toEqual([expect.any(ConfigError)])
    first.unsubscribe()
    NEVER.pipe(net.join('a')).subscribe({ error }).unsubscribe()
    expect(errors).toHaveLength(1)
  })

  it('subscribes to the faults while anybody is on the network', () => {
    run(({ hot, expectObservable, expectSubscriptions }) => {
      const partitions$ = hot<Partition>('----------', {})
      const net = network({ partitions$ })
      expectObservable(on(net, 'a'), '-^---!').toBe('-')
      expectObservable(on(net, 'b'), '--^----!').toBe('-')
      expectSubscriptions(partitions$.subscriptions).toBe('-^-----!')
    })
  })
})

describe('links', () => {
  /** Chance as it is written: one number after another. */
  const script = (...numbers: readonly number[]): (() => number) => {
    let next = 0
    return () => numbers[next++]!
  }
  const picture = (source: string, link: () => LinkOperator, out: string): void =>
    run(({ hot, expectObservable }) => {
      const passed$ = hot(source).pipe(map(letters('b')), link(), heard)
      expectObservable(passed$).toBe(out)
    })

  it('latency delays', () => {
    picture('ab---c-----', () => latency(3), '---ab---c--')
  })

  it('latency of a function lets the quick overtake', () => {
    const slow = (it: Envelope): number =>
      it.message === undefined ? 0 : roundOf(it) === 97 ? 4 : 1
    picture('ab----a----', () => latency(slow), '--b-a-----a')
  })

  it('loss loses', () => {
    picture('abcdef', () => loss(0.5, script(0.9, 0.1, 0.5, 0.6, 0.49, 0.7)), 'a-cd-f')
    picture('abc', () => loss(0, () => 0), 'abc')
    picture('abc', () => loss(1, () => 0.999), '---')
  })

  it('duplicate repeats', () => {
    picture('a--b------c', () => duplicate(0.5, script(0.9, 0.1, 0.9)), 'a--(bb)---c')
  })

  it('reorder holds back', () => {
    picture('ab-c---', () => reorder(0.5, 3, script(0.1, 0.9, 0.9)), '-b-(ca)-')
  })

  it('cutWhile cuts while it is told to', () => {
    run(({ hot, expectObservable }) => {
      const cut$ = hot('           --t----f---').pipe(map((flag) => flag === 't'))
      const source = hot('         ab--cd---ef').pipe(map(letters('b')))
      expectObservable(source.pipe(cutWhile(cut$), heard)).toBe('ab-------ef')
    })
  })

  it('are combined with pipe', () => {
    const both = (): LinkOperator => pipe(loss(0.5, script(0.9, 0.1, 0.9)), latency(2))
    picture('abc----', both, '--a-c--')
  })

  it('refuse what cannot be', () => {
    for (const wrong of [-0.1, 1.1, NaN]) {
      expect(() => loss(wrong, () => 0)).toThrow(ConfigError)
      expect(() => duplicate(wrong, () => 0)).toThrow(ConfigError)
      expect(() => reorder(wrong, 1, () => 0)).toThrow(ConfigError)
    }
    expect(() => latency(-1)).toThrow(ConfigError)
    expect(() => reorder(0.5, NaN, () => 0)).toThrow(ConfigError)
  })
})

const roundOf = ({ message }: Envelope): number =>
  message.type === 'heartbeat' ? message.round : -1
