import { asyncScheduler, Observable, type SchedulerLike } from 'rxjs'
import type { Cut, Partition } from '../../adapters/transport/memory.ts'
import { ConfigError } from '../../lib/errors.ts'
import type { Millis } from '../../lib/types.ts'
import { misdrawn, readPicture, type Mark } from './picture.ts'

/**
 * Partitions, drawn: for the `partitions$` of a cluster or a network.
 *
 * ```
 * network   -----(a|bc)----h---     a cannot speak with b and c, for ten columns
 * emits     -----p---------u---     p = [['a'], ['b', 'c']], u = undefined
 * ```
 *
 * - `(a|bc)`, `(a|b|c)`: groups; only those within one can speak with each other. Servers that are
 *   in none are one more group, so `(a)` cuts `a` off from all others.
 * - `h`: healed, everybody can speak with everybody.
 * - Time passes as in RxJS's marbles: every character is 1 ms, those of a group too, which happens in
 *   the column of its `(`. Spaces are ignored; `10ms`, `1.5s` or `2m` between spaces passes at once.
 *
 * Hot: its first column is now, the moment of the call, and a late subscriber gets what holds at once.
 * It never completes. Throws `ConfigError` for a picture that cannot be read, naming the character.
 *
 * @param scheduler Default: `asyncScheduler`, which is virtual inside `testScheduler.run()`.
 */
export function network(
  picture: string,
  scheduler: SchedulerLike = asyncScheduler,
): Observable<Partition> {
  return play('network', picture, (mark) => partitionOf(picture, mark), scheduler)
}

/**
 * One-way cuts, drawn: for the `cuts$` of a cluster or a network.
 *
 * ```
 * cuts      ---(a>bc)---h---     nothing passes from a to b and c; what they say to a arrives
 * emits     ---p--------u---     p = [['a', 'b'], ['a', 'c']], u = []
 * ```
 *
 * `(a>b|c>a)` is two at once; each picture in parentheses replaces the one before. Everything else is
 * as in {@link network}.
 */
export function cuts(
  picture: string,
  scheduler: SchedulerLike = asyncScheduler,
): Observable<readonly Cut[]> {
  return play('cuts', picture, (mark) => cutsOf(picture, mark), scheduler)
}

function partitionOf(picture: string, mark: Mark): Partition {
  if (mark.text === 'h') return undefined
  const refuse = refusal('network', picture, mark)
  if (!mark.text.startsWith('(')) throw refuse(0, oneOf('(a|bc)'))
  const groups: string[][] = [[]]
  const seen = new Set<string>()
  for (const [i, character] of [...inside(mark)].entries()) {
    if (character === '>') throw refuse(i + 1, 'a | between groups: draw one-way cuts with cuts()')
    if (character === '|') {
      if (groups.at(-1)!.length === 0) throw refuse(i + 1, 'a server, for a group has one at least')
      groups.push([])
    } else {
      if (!isName(character)) throw refuse(i + 1, NAME)
      if (seen.has(character)) throw refuse(i + 1, 'a server that is in no other group')
      seen.add(character)
      groups.at(-1)!.push(character)
    }
  }
  if (groups.at(-1)!.length > 0) return groups
  throw refuse(mark.text.length - 1, 'a server, for a group has one at least')
}

function cutsOf(picture: string, mark: Mark): readonly Cut[] {
  if (mark.text === 'h') return []
  const refuse = refusal('cuts', picture, mark)
  if (!mark.text.startsWith('(')) throw refuse(0, oneOf('(a>bc)'))
  let at = 1
  return inside(mark)
    .split('|')
    .flatMap((way) => {
      const [, froms = '', arrow = '', tos = ''] = /^([^>]*)(>?)([^>]*)/.exec(way)!
      const start = at
      at += way.length + 1
      const bad = [...way].findIndex((character) => character !== '>' && !isName(character))
      if (bad >= 0) throw refuse(start + bad, NAME)
      if (froms === '') throw refuse(start, 'a server, from whom nothing passes')
      if (arrow === '') throw refuse(start + froms.length, 'a >, as in (a>bc)')
      if (tos === '') throw refuse(start + froms.length + 1, 'a server, to whom nothing passes')
      const read = froms.length + 1 + tos.length
      if (read < way.length) throw refuse(start + read, 'a | before the next cut')
      return [...froms].flatMap((from) => [...tos].map((to): Cut => [from, to]))
    })
}

const NAME = 'the one-letter name of a server'
const isName = (character: string): boolean => !/[-\s()|>]/.test(character)
const inside = ({ text }: Mark): string => text.slice(1, -1)
const oneOf = (group: string): string => `one of -, ${group}, h, a time between spaces such as 10ms`

const refusal =
  (name: string, picture: string, { positions }: Mark) =>
  (index: number, expected: string): ConfigError =>
    misdrawn(name, picture, positions[index]! - 1, expected)

/** Plays a picture from now on. */
function play<T>(
  name: string,
  picture: string,
  valueOf: (mark: Mark) => T,
  scheduler: SchedulerLike,
): Observable<T> {
  const beats = readPicture(name, picture).marks.map((mark) => [mark.at, valueOf(mark)] as const)
  const start = scheduler.now()
  return new Observable((subscriber) => {
    const now: Millis = scheduler.now() - start
    if (now < 0) {
      subscriber.error(new ConfigError(name, picture, 'drawn on the clock on which it is played'))
      return
    }
    const latest = beats.filter(([at]) => at <= now).at(-1)
    if (latest !== undefined) subscriber.next(latest[1])
    for (const [at, value] of beats) {
      if (at > now) subscriber.add(scheduler.schedule(() => subscriber.next(value), at - now))
    }
  })
}
