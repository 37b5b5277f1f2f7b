import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foundingMembers } from '../../lib/members.ts'
import { isQuorum, reachedByQuorum } from '../../lib/quorum.ts'
import { follower, leader } from './bench/server.ts'

const votersOf = (count: number) => Array.from({ length: count }, (_, i) => `s${i}`)

/** By the definition: the highest value for which more than half of the voters have at least as much. */
function reached(values: readonly number[]): number {
  const candidates = values.filter(
    (value) => values.filter((other) => other >= value).length * 2 > values.length,
  )
  return Math.max(...candidates)
}

describe('quorum', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
    'of %i voters, the value reached is that of more than half [bug 9]',
    (count) => {
      const members = foundingMembers(votersOf(count))
      const values = fc.array(fc.nat(12), { minLength: count, maxLength: count })
      fc.assert(
        fc.property(values, (all) => {
          const valueOf = (id: string) => all[Number(id.slice(1))]!
          expect(reachedByQuorum(members, valueOf)).toBe(reached(all))
        }),
      )
    },
  )

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
    'of %i voters, more than half are a quorum and half are not [bug 68]',
    (count) => {
      const voters = votersOf(count)
      for (let set = 0; set < 2 ** count; set++) {
        const yes = voters.filter((_, i) => (set >> i) & 1)
        expect(isQuorum(foundingMembers(voters), (id) => yes.includes(id))).toBe(
          yes.length * 2 > count,
        )
      }
    },
  )

  it('values of any size and sign are compared as numbers', () => {
    const values: Record<string, number> = { a: 9, b: 10, c: 100, d: -1, e: Infinity }
    expect(reachedByQuorum(foundingMembers([...'abcde']), (id) => values[id]!)).toBe(10)
    expect(reachedByQuorum(foundingMembers([...'abc']), () => -Infinity)).toBe(-Infinity)
  })

  it('nobody is no quorum', () => {
    expect(isQuorum(foundingMembers([]), () => true)).toBe(false)
  })
})

describe('quorum in a leader', () => {
  const match = fc.nat(7)

  it.each(['abc', 'abcd', 'abcde', 'abcdef', 'abcdefghi'])(
    'after every acknowledgement, %s commits what a majority has acknowledged and nothing more [bug 9][bug 68]',
    (voters) => {
      const others = [...voters].slice(1)
      const acknowledgements = fc.array(fc.tuple(fc.constantFrom(...others), match), {
        maxLength: 30,
      })
      fc.assert(
        fc.property(acknowledgements, (all) => {
          const server = leader({ voters, log: [1, 1, 1, 1, 1, 1] })
          const { firstIndex } = server.leader
          const naive = new Map([...voters].map((id) => [id, 0]))
          naive.set('a', firstIndex)
          for (const [id, index] of all) {
            server.receive(id, { type: 'appended', term: 2, match: index })
            naive.set(id, Math.max(naive.get(id)!, index))
            const held = reached([...naive.values()])
            expect(server.state.commitIndex).toBe(held >= firstIndex ? held : 0)
          }
        }),
        { numRuns: 60 },
      )
    },
  )

  it('a single voter is its own quorum, once its disk has spoken', () => {
    const server = follower({ voters: 'a', log: [1] })
    server.take({ type: 'electionTimeout' })
    expect(server.role).toBe('candidate')
    server.save()
    expect(server.role).toBe('leader')
    expect(server.state.commitIndex).toBe(0)
    server.save()
    expect(server.state.commitIndex).toBe(2)
  })

  it('two of four do not elect [bug 68]', () => {
    const server = follower({ voters: 'abcd', preVote: false })
    server.take({ type: 'electionTimeout' })
    server.save()
    server.receive('b', { type: 'vote', term: 1, pre: false, granted: true })
    expect(server.role).toBe('candidate')
  })
})
