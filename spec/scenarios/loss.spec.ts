import { filter, pipe, take, timer, VirtualTimeScheduler } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { latency } from '../../adapters/transport/memory.ts'
import type { Message } from '../../lib/messages.ts'
import type { NodeId } from '../../lib/types.ts'
import { cluster } from '../../testing/index.ts'
import { journal } from './support.ts'

const WORDS = [...'pqrstuvwxyz']
/** The first word is written then, in ms: somebody leads, also when a message was lost before. */
const FIRST = 60
/** Whatever is lost, everybody has everything so many ms after the last word. */
const SOON = 20

type Kind = Message['type'] | 'any'

/** Whether the `k`-th message of a kind, from 1, is lost. */
type Loss = (kind: Kind, k: number) => boolean

/** Writes a word each ms, then nothing more. What is lost is lost between the servers. */
const write = (isLost: Loss, maxInflightMessages = 256) => {
  const scheduler = new VirtualTimeScheduler()
  const counts = new Map<Kind, number>()
  const isLostNow = (kind: Kind): boolean => {
    const k = (counts.get(kind) ?? 0) + 1
    counts.set(kind, k)
    return isLost(kind, k)
  }
  const passes = ({ type }: Message) => ![isLostNow(type), isLostNow('any')].includes(true)
  const servers = cluster({
    ids: ['a', 'b', 'c'],
    machine: journal,
    electionTimeout: [10, 20],
    heartbeat: 4,
    link: () =>
      pipe(
        filter(({ message }) => passes(message)),
        latency(1, scheduler),
      ),
    scheduler,
    maxInflightMessages,
  })
  const reigns: NodeId[] = []
  servers.leaders$.subscribe(([leader]) => leader !== undefined && reigns.push(leader))
  const settle = { applied: () => undefined, failed: () => undefined }
  timer(FIRST, 1, scheduler)
    .pipe(take(WORDS.length))
    .subscribe((i) => servers.node(reigns.at(-1)!).submit(WORDS[i]!, settle))
  servers.connect(timer(FIRST + WORDS.length + SOON, scheduler))
  scheduler.flush()
  const written = servers.ids.map((id) =>
    servers
      .node(id)
      .history(1)
      .map(({ command }) => command),
  )
  return { counts, written, reigns }
}

/** What is lost is made good, without a new election. */
const expectAll = (lost: Loss, window: number | undefined, what: string): void => {
  const { written, reigns } = write(lost, window)
  expect(written, what).toEqual([WORDS, WORDS, WORDS])
  expect(reigns, what).toHaveLength(1)
}

describe('what is lost is missed, though nothing is written after it [bug 48][F1]', () => {
  const kinds = ['append', 'appended', 'heartbeat', 'heartbeatReply', 'any'] as const
  const cases = kinds.flatMap((kind) => [1, 2, 256].map((window) => [kind, window] as const))

  it.each(cases)('one message, of kind %s, with a window of %i', (lost, window) => {
    const all = write(() => false, window).counts.get(lost)!
    expect(all).toBeGreaterThan(10)
    for (let nth = 1; nth <= all; nth++) {
      expectAll((kind, k) => kind === lost && k === nth, window, `without ${lost} ${nth}`)
    }
  })

  it('one append, and the first that says so', () => {
    const all = write(() => false).counts.get('append')!
    let rejections = 0
    for (let nth = 1; nth <= all; nth++) {
      const isLost: Loss = (kind, k) => {
        if (kind === 'rejected') rejections++
        return (kind === 'append' && k === nth) || (kind === 'rejected' && k === 1)
      }
      expectAll(isLost, undefined, `without append ${nth} and the first rejection`)
    }
    expect(rejections).toBeGreaterThan(all / 2)
  })
})
