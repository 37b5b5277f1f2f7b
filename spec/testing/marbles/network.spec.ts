import fc from 'fast-check'
import { VirtualTimeScheduler, type Observable } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { Cut, Partition } from '../../../adapters/transport/memory.ts'
import { ConfigError } from '../../../lib/errors.ts'
import { cuts, network } from '../../../testing/marbles/network.ts'
import { marbles } from '../../operators/support.ts'

const bystanders = { p: [['a'], ['b', 'c']], u: undefined }

describe('network', () => {
  it('is partitions over time', () => {
    marbles(({ expectObservable }) => {
      const picture = '-----(a|bc)----h---'
      const emitted = '-----p---------u---'
      expectObservable(network(picture)).toBe(emitted, bystanders)
    })
  })

  it('lets times pass, and ignores spaces', () => {
    marbles(({ expectObservable }) => {
      const picture = ' 10ms -( a | b c ) 1.5s h 1m (a|bc)'
      const emitted = ' 11ms p----- 1499ms - u 1m p     '
      expectObservable(network(picture)).toBe(emitted, bystanders)
    })
  })

  it('begins now, and tells a late subscriber what holds', () => {
    marbles(({ expectObservable }) => {
      const picture = ' --(a|bc)------h----'
      const late = '    -----^-------------'
      const emitted = ' -----p--------u----'
      expectObservable(network(picture), late).toBe(emitted, bystanders)
    })
  })

  it('leaves nothing on the clock when it is unsubscribed', () => {
    const scheduler = new VirtualTimeScheduler()
    network('--(a)--h', scheduler).subscribe().unsubscribe()
    scheduler.flush()
    expect(scheduler.actions).toEqual([])
    expect(scheduler.now()).toBe(0)
  })

  it('is read as it was written, whatever it shows', () => {
    fc.assert(
      fc.property(drawing(groups, undefined), ({ picture, beats }) => {
        expect(played((clock) => network(picture, clock))).toEqual(beats)
      }),
    )
  })

  it.each([
    ['--x', 3, 'x', 'one of -, (a|bc), h, a time between spaces such as 10ms'],
    ['-10ms-', 2, '1', 'one of -, (a|bc), h, a time between spaces such as 10ms'],
    ['-10ms', 2, '1', 'one of -, (a|bc), h, a time between spaces such as 10ms'],
    ['10msh', 1, '1', 'one of -, (a|bc), h, a time between spaces such as 10ms'],
    ['-h|', 3, '|', 'one of -, (a|bc), h, a time between spaces such as 10ms'],
    ['--(a|bc', 3, '(', 'closed by a ) before anything else is opened'],
    ['--(a|(bc)', 3, '(', 'closed by a ) before anything else is opened'],
    ['--a)', 4, ')', 'after a ( that it closes'],
    ['--(|a)', 4, '|', 'a server, for a group has one at least'],
    ['--(a||b)', 6, '|', 'a server, for a group has one at least'],
    ['--(a|)', 6, ')', 'a server, for a group has one at least'],
    ['--()', 4, ')', 'a server, for a group has one at least'],
    ['  (a|b a)', 8, 'a', 'a server that is in no other group'],
    ['--(a-b)', 5, '-', 'the one-letter name of a server'],
    ['--(a>b)', 5, '>', 'a | between groups: draw one-way cuts with cuts()'],
  ])('refuses %s for its character %i', (picture, position, character, expected) => {
    const where = `character ${position} of network '${picture}'`
    expect(() => network(picture)).toThrow(new ConfigError(where, character, expected))
  })

  it('refuses a clock on which it was not drawn', () => {
    const drawn$ = network('--(a|bc)')
    const errors: unknown[] = []
    marbles(() => drawn$.subscribe({ error: (error: unknown) => errors.push(error) }))
    const expected = 'drawn on the clock on which it is played'
    expect(errors).toEqual([new ConfigError('network', '--(a|bc)', expected)])
  })
})

describe('cuts', () => {
  const aToBoth = { p: cut('ab ac'), q: cut('ab ca'), u: [] }

  it('are one-way cuts over time', () => {
    marbles(({ expectObservable }) => {
      const picture = '---(a>bc)---h--- 5ms (a>b|c>a)'
      const emitted = '---p--------u--- 5ms q--------'
      expectObservable(cuts(picture)).toBe(emitted, aToBoth)
    })
  })

  it('are read as they were written, whatever they show', () => {
    fc.assert(
      fc.property(drawing(ways, []), ({ picture, beats }) => {
        expect(played((clock) => cuts(picture, clock))).toEqual(beats)
      }),
    )
  })

  it.each([
    ['--x', 3, 'x', 'one of -, (a>bc), h, a time between spaces such as 10ms'],
    ['--(a>b', 3, '(', 'closed by a ) before anything else is opened'],
    ['--()', 4, ')', 'a server, from whom nothing passes'],
    ['--(>b)', 4, '>', 'a server, from whom nothing passes'],
    ['--(ab)', 6, ')', 'a >, as in (a>bc)'],
    ['--(a|b)', 5, '|', 'a >, as in (a>bc)'],
    ['--(a>)', 6, ')', 'a server, to whom nothing passes'],
    ['--(a>b>c)', 7, '>', 'a | before the next cut'],
    ['--(a>b|c>-)', 10, '-', 'the one-letter name of a server'],
  ])('refuse %s for its character %i', (picture, position, character, expected) => {
    const where = `character ${position} of cuts '${picture}'`
    expect(() => cuts(picture)).toThrow(new ConfigError(where, character, expected))
  })
})

/** Cuts as pairs of letters. */
function cut(pairs: string): Cut[] {
  return pairs.split(' ').map(([from, to]) => [from!, to!])
}

/** Everything that a picture emits, and when. */
function played<T>(draw: (clock: VirtualTimeScheduler) => Observable<T>): [number, T][] {
  const scheduler = new VirtualTimeScheduler()
  const seen: [number, T][] = []
  draw(scheduler).subscribe((value) => seen.push([scheduler.now(), value]))
  scheduler.flush()
  return seen
}

/** What stands in parentheses, and what it means. */
interface Group<T> {
  readonly text: string
  readonly value: T
}

const letters = fc.shuffledSubarray([...'abcdefgh123'], { minLength: 1 })

const groups: fc.Arbitrary<Group<Partition>> = fc
  .tuple(letters, fc.array(fc.nat(), { minLength: 11, maxLength: 11 }))
  .map(([names, places]) => {
    const split: string[][] = [[]]
    names.forEach((name, i) => {
      if (i > 0 && places[i]! % 3 === 0) split.push([])
      split.at(-1)!.push(name)
    })
    return { text: split.map((group) => group.join('')).join('|'), value: split }
  })

const ways: fc.Arbitrary<Group<readonly Cut[]>> = fc
  .array(fc.tuple(letters, letters), { minLength: 1, maxLength: 3 })
  .map((all) => ({
    text: all.map(([froms, tos]) => `${froms.join('')}>${tos.join('')}`).join('|'),
    value: all.flatMap(([froms, tos]) => froms.flatMap((a) => tos.map((b): Cut => [a, b]))),
  }))

/** How so many milliseconds are drawn. */
const styles = [
  (ms: number) => '-'.repeat(ms),
  (ms: number) => ` ${ms}ms `,
  (ms: number) => ` ${ms}.0ms  `,
  (ms: number) => `${' '.repeat(ms % 4)}${'-'.repeat(ms)}  `,
]

/** A picture with what it should emit: the printer that the reader is held against. */
function drawing<T>(group: fc.Arbitrary<Group<T>>, healed: T) {
  const beat = fc.record({
    gap: fc.nat(60),
    style: fc.constantFrom(...styles),
    group: fc.option(group),
    space: fc.constantFrom('', ' '),
  })
  return fc.array(beat, { maxLength: 8 }).map((all) => {
    let [picture, at] = ['', 0]
    const beats: [number, T][] = []
    for (const { gap, style, group, space } of all) {
      at += gap
      beats.push([at, group === null ? healed : group.value])
      const drawn = group === null ? 'h' : `(${group.text})`
      at += drawn.length
      picture += style(gap) + [...drawn].join(space)
    }
    return { picture, beats }
  })
}
