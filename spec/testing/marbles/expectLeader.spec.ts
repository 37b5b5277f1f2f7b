import { asapScheduler, NEVER, of } from 'rxjs'
import { TestScheduler, type RunHelpers } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../lib/errors.ts'
import type { NodeId } from '../../../lib/types.ts'
import { cluster } from '../../../testing/cluster.ts'
import { expectLeader } from '../../../testing/marbles/expectLeader.ts'
import { network } from '../../../testing/marbles/network.ts'

/** Runs a picture without any assertion but its own. */
const run = (picture: (helpers: RunHelpers) => void): void =>
  new TestScheduler(() => undefined).run(picture)

/** A cluster of which only the leaders are known, as pictures. */
const watched = ({ hot }: RunHelpers, known: Readonly<Record<NodeId, string>>) => ({
  ids: Object.keys(known),
  leader$: (id: NodeId) =>
    hot<NodeId | undefined>(known[id]!, { n: undefined, a: 'a', b: 'b', z: 'zoe' }),
})

describe('expectLeader', () => {
  it('expects who leads, as one server knows it, and as most do', () => {
    run(({ hot }) => {
      const partitions$ = network('   -----------------(a|bc)-----------h--------')
      const end$ = hot('              -------------------------------------------|')
      const servers = cluster(3, { partitions$ })
      expectLeader(servers, 'a').toBe('----------a----------------n--------b------')
      expectLeader(servers, 'b').toBe('-----------a----------n---b----------------')
      expectLeader(servers, 'c').toBe('-----------a------------n--b---------------')
      expectLeader(servers).toBe('     -----------a------------n--b---------------')
      servers.connect(end$)
    })
  })

  it('prints both pictures, one over the other', () => {
    const text = [
      'the leader that b knows:',
      "  expected  '-----------a-------n------b'",
      "  but was   '-----------a----------n---b'",
      '                                ^',
    ]
    expect(() =>
      run(({ hot }) => {
        const partitions$ = network('   -----------------(a|bc)-----------h--------')
        const end$ = hot('              -------------------------------------------|')
        const servers = cluster(3, { partitions$ })
        expectLeader(servers, 'b').toBe('-----------a-------n------b----------------')
        servers.connect(end$)
      }),
    ).toThrow(text.join('\n'))
  })

  it.each([
    ['a leader too early', '---a---', '--a----'],
    ['a leader too late', '---a---', '----a--'],
    ['another leader', '---a---', '---b---'],
    ['a leader who is lost', '---a---', '---a-n-'],
    ['a leader who is not lost', '---a-n-', '---a---'],
    ['a leader after the end of the picture', '---a---', '---a-----b'],
    ['no leader at all', '---a---', '-------'],
    ['an end too early', '---a--|', '---a-|'],
    ['no end in time', '---a--|', '---a-------|'],
  ])('refuses %s', (_, expected, actual) => {
    const test = (): void =>
      run((helpers) =>
        expectLeader(watched(helpers, { a: `${actual} 10ms |`.replace(/\|.*\|/, '|') }), 'a').toBe(
          expected,
        ),
      )
    expect(test).toThrow('the leader that a knows:')
  })

  it.each([
    ['an end that is not drawn', '---a---', '---a------|'],
    ['an end that is drawn', '---a--|', '---a--|'],
    ['nobody at first, drawn or not', 'n--a---', '---a---|'],
    ['the same leader again', '---a---', '---a-a-|'],
    ['the last of several in one column', '---b---', '---(ab)|'],
    ['times and spaces', '3ms a 200ms n', ' - --a 200ms n--|'],
    ['nothing', '-----', '----------|'],
  ])('lets pass %s', (_, expected, actual) => {
    run((helpers) => expectLeader(watched(helpers, { a: actual, b: '|' }), 'a').toBe(expected))
  })

  it('of most servers is whom more than half of them know', () => {
    run((helpers) => {
      const known = {
        a: '--a---------n--b-|',
        b: '----a-----b------|',
        c: '------n---------b|',
        d: '--------a-------n|',
        e: 'n-----a-----b----|',
      }
      expectLeader(watched(helpers, known)).toBe('--------a---n--b-|')
    })
  })

  it('gives a character to whom `names` says', () => {
    run((helpers) => {
      const servers = watched(helpers, { a: '--z--n--|', b: '|' })
      expectLeader(servers, 'a').toBe('--x--n--', { x: 'zoe' })
      expectLeader(servers, 'a').toBe('--n--0--', { n: 'zoe', 0: undefined })
    })
  })

  it('shows a server without a character as a question', () => {
    const test = (): void =>
      run((helpers) => expectLeader(watched(helpers, { a: '--z--|' }), 'a').toBe('--a--'))
    expect(test).toThrow("but was   '--?'")
  })

  it('points at the line that drew the picture', () => {
    try {
      run(({ hot }) => expectLeader({ ids: ['a'], leader$: () => hot('-|') }, 'a').toBe('a'))
    } catch (error) {
      expect((error as Error).stack).toMatch(/\^\n {4}at .*expectLeader\.spec\.ts/)
      return
    }
    expect.unreachable()
  })

  it('fails when nobody connects the cluster', () => {
    const test = (): void => run(() => expectLeader(cluster(3)).toBe('-----------a---'))
    expect(test).toThrow("expected  '-----------a'")
  })

  it('leaves the schedulers as they were when it fails', async () => {
    const test = (): void =>
      run(({ hot }) => {
        const servers = cluster(3)
        expectLeader(servers).toBe('--a')
        servers.connect(hot('------------------|'))
      })
    expect(test).toThrow('--a')
    await new Promise<void>((resolve) => asapScheduler.schedule(() => resolve()))
  })

  it.each([
    ['--x', 3, 'x', 'one of -, n, a, b, |, a time between spaces such as 10ms'],
    ['--(a)', 3, '(', 'one of -, n, a, b, |, a time between spaces such as 10ms'],
    ['--(a', 3, '(', 'closed by a ) before anything else is opened'],
  ])('refuses the picture %s', (picture, position, character, expected) => {
    run(() => {
      const servers = { ids: ['a', 'b'], leader$: () => of('a') }
      expect(() => expectLeader(servers).toBe(picture)).toThrow(
        new ConfigError(`character ${position} of leader '${picture}'`, character, expected),
      )
    })
  })

  it('is refused where time is real', () => {
    expect(() => expectLeader({ ids: ['a'], leader$: () => NEVER })).toThrow(
      'expectLeader is "called elsewhere": it should be called inside testScheduler.run()',
    )
  })
})
