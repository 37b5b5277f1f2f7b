import { asyncScheduler, combineLatest, distinctUntilChanged, map, type Observable } from 'rxjs'
import { ConfigError } from '../../lib/errors.ts'
import type { Millis, NodeId } from '../../lib/types.ts'
import type { Cluster } from '../cluster.ts'
import { clockOfRun } from './clock.ts'
import { difference } from './difference.ts'
import { misdrawn, readPicture } from './picture.ts'

/** What of a cluster an expectation looks at. */
type Watched = Pick<Cluster<never, never>, 'ids' | 'leader$'>

/** Who is meant by a character; `undefined` is nobody. */
type Names = Readonly<Record<string, NodeId | undefined>>

/** A character of a picture, and its column. */
type Change = readonly [at: Millis, character: string]

const NOBODY = 'n'
const END = '|'

/**
 * Expects who leads, drawn, inside `testScheduler.run()`: as the server `id` knows it, or without `id`
 * as more than half of all servers do.
 *
 * ```ts
 * const partitions$ = network('   -----------------(a|bc)-----------h--------')
 * const end$ = hot('              -------------------------------------------|')
 * const servers = cluster(3, { partitions$ })
 * expectLeader(servers, 'a').toBe('----------a----------------n--------b------')
 * expectLeader(servers, 'b').toBe('-----------a----------n---b----------------')
 * expectLeader(servers).toBe('     -----------a------------n--b---------------')
 * servers.connect(end$)
 * ```
 *
 * A column shows who leads from that millisecond on, until another character; `n` is nobody, as at the
 * beginning. `|`, the end of the cluster, may be left out. Spaces and times are as in RxJS's marbles. A
 * server whose name is not one character is given one in `names`: `toBe('---x', { x: 'server-1' })`.
 *
 * At the end of the picture, and at that of the cluster, `run()` throws an error that prints both
 * pictures one over the other if they differ. Throws `ConfigError` for a picture that cannot be read.
 */
export function expectLeader(
  servers: Watched,
  id?: NodeId,
): { toBe(picture: string, names?: Names): void } {
  if (clockOfRun() === undefined) {
    throw new ConfigError('expectLeader', 'called elsewhere', 'called inside testScheduler.run()')
  }
  const leader$ = id === undefined ? agreedLeader(servers) : servers.leader$(id)
  const title =
    id === undefined ? 'the leader that most servers know' : `the leader that ${id} knows`
  return {
    toBe: function toBe(picture, names = {}) {
      const alphabet = { ...lettersOf(servers.ids), ...names }
      const { changes, length } = read(picture, alphabet)
      const fail = failure(toBe)
      compareWith(changes, length, leader$.pipe(map((who) => letterOf(who, alphabet))), (text) => {
        throw fail(`${title}:\n${text}`)
      })
    },
  }
}

/** The server that more than half of all servers take for the leader. */
function agreedLeader({ ids, leader$ }: Watched): Observable<NodeId | undefined> {
  return combineLatest(ids.map((id) => leader$(id))).pipe(
    map((known) => ids.find((id) => known.filter((it) => it === id).length > ids.length / 2)),
    distinctUntilChanged(),
  )
}

/** The characters of servers that are given none: their names, and `n` for nobody. */
const lettersOf = (ids: readonly NodeId[]): Names => ({
  [NOBODY]: undefined,
  ...Object.fromEntries(ids.filter((id) => id.length === 1).map((id) => [id, id])),
})

/** The same character for the same server, `?` for one that has none. */
const letterOf = (who: NodeId | undefined, alphabet: Names): string =>
  Object.keys(alphabet).find((letter) => alphabet[letter] === who) ?? '?'

function read(picture: string, alphabet: Names): { changes: readonly Change[]; length: Millis } {
  const { marks, length } = readPicture('leader', picture)
  const letters = Object.keys(alphabet)
  const changes = marks.map(({ at, text, positions }): Change => {
    if (text === END) return [at, END]
    if (letters.includes(text)) return [at, letterOf(alphabet[text], alphabet)]
    const allowed = ['-', ...letters, END, 'a time between spaces such as 10ms'].join(', ')
    throw misdrawn('leader', picture, positions[0]! - 1, `one of ${allowed}`)
  })
  return { changes, length }
}

/** Compares at the end of the picture with what was drawn until then, and with all at the end of the stream. */
function compareWith(
  expected: readonly Change[],
  length: Millis,
  letter$: Observable<string>,
  fail: (text: string) => void,
): void {
  const start = asyncScheduler.now()
  const seen: Change[] = []
  const note = (character: string): number => seen.push([asyncScheduler.now() - start, character])
  const compare = (until: Millis): void => {
    const text = difference(draw(expected), draw(seen.filter(([at]) => at < until)))
    if (text !== undefined) fail(text)
  }
  letter$.subscribe({
    next: note,
    complete: () => {
      if (expected.some(([, character]) => character === END)) note(END)
      asyncScheduler.schedule(() => compare(Infinity))
    },
  })
  asyncScheduler.schedule(() => compare(length), length)
}

/** A column a millisecond, in which the latest character stands if it says something new. */
function draw(changes: readonly Change[]): string {
  const latest = new Map(changes.map(([at, character]) => [Math.floor(at), character]))
  let picture = ''
  let last = NOBODY
  for (const [column, character] of [...latest].sort(([a], [b]) => a - b)) {
    if (character !== last) picture = picture.padEnd(column, '-') + character
    last = character
  }
  return picture
}

/** Makes errors that point at the line of the test which called `caller`. */
function failure(caller: (...args: never[]) => void): (message: string) => Error {
  const here = new Error()
  Error.captureStackTrace?.(here, caller)
  return (message) => {
    const error = new Error(message)
    error.stack = String(here.stack).replace(/^.*/, () => `Error: ${message}`)
    return error
  }
}
