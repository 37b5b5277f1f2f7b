import { expect, it } from 'vitest'
import { backoff } from '../../../adapters/transport/tcp/backoff.ts'
import { notices } from '../../../adapters/transport/tcp/notices.ts'
import { Outbox } from '../../../adapters/transport/tcp/outbox.ts'
import type { Message } from '../../../lib/messages.ts'
import type { Notice } from '../../../lib/storage.ts'
import { bigAppend } from './messages.ts'
import { pulse } from './station.ts'

const drain = (outbox: Outbox): (Message | undefined)[] => {
  const messages: (Message | undefined)[] = []
  while (!outbox.isEmpty) messages.push(outbox.shift())
  return messages
}

it('an outbox gives back in order what it got, however long it is', () => {
  const outbox = new Outbox()
  const messages = Array.from({ length: 5_000 }, (_, i) => pulse(i))
  for (const message of messages.slice(0, 3_000)) outbox.push(message, Infinity)
  const first = Array.from({ length: 2_000 }, () => outbox.shift())
  for (const message of messages.slice(3_000)) outbox.push(message, Infinity)
  expect([...first, ...drain(outbox)]).toEqual(messages)
  expect([outbox.bytes, outbox.shift()]).toEqual([0, undefined])
})

it('an outbox drops the oldest messages beyond its bytes, never the newest [F3]', () => {
  const outbox = new Outbox()
  const [first, second, third] = [1, 2, 3].map((index) => bigAppend(1, 1_000, index))
  expect(outbox.push(first!, 2_500)).toBe(0)
  expect(outbox.push(second!, 2_500)).toBe(0)
  expect(outbox.push(third!, 2_500)).toBe(1)
  expect(outbox.bytes).toBeLessThanOrEqual(2_500)
  expect(drain(outbox)).toEqual([second, third])
  expect(outbox.push(bigAppend(1, 9_000), 2_500)).toBe(0)
  expect(outbox.push(pulse(1), 2_500)).toBe(1)
  expect(drain(outbox)).toEqual([pulse(1)])
})

it('the backoff doubles up to its longest, and leaves half of it to chance [F6]', () => {
  const range = [50, 2_000] as const
  const longest = [1, 2, 3, 6, 7, 1_000].map((attempt) => backoff(attempt, range, () => 1))
  expect(longest).toEqual([50, 100, 200, 1_600, 2_000, 2_000])
  expect(backoff(3, range, () => 0)).toBe(100)
  expect(backoff(3, range, () => 0.5)).toBe(150)
})

it('notices of one kind about one peer come five times a second, and then are counted', () => {
  let now = 0
  const told: Notice[] = []
  const scheduler = { now: () => now, schedule: () => never() }
  const { report } = notices((notice) => told.push(notice), scheduler)
  for (let i = 0; i < 12; i++) report('bad-frame', `number ${i}`, 'b')
  report('bad-frame', 'of another', 'c')
  report('queue-overflow', 'of another kind', 'b')
  now = 1_000
  report('bad-frame', 'a second later', 'b')
  expect(told.map(({ message }) => message)).toEqual([
    ...Array.from({ length: 5 }, (_, i) => `number ${i}`),
    'of another',
    'of another kind',
    'a second later (and 7 more that were not told)',
  ])
})

it('that a peer cannot be reached is told once, until there is something else to tell', () => {
  const told: Notice[] = []
  const { report } = notices((notice) => told.push(notice), {
    now: () => 0,
    schedule: () => never(),
  })
  report('peer-unreachable', 'refused', 'b')
  report('peer-unreachable', 'refused', 'b')
  report('peer-unreachable', 'refused', 'c')
  report('peer-unreachable', 'no route', 'b')
  report('peer-connected', 'connected', 'b')
  report('peer-unreachable', 'refused', 'b')
  expect(told.map(({ peer, message }) => `${peer} ${message}`)).toEqual([
    'b refused',
    'c refused',
    'b no route',
    'b connected',
    'b refused',
  ])
})

it('of a peer that is forgotten everything is told anew', () => {
  const told: Notice[] = []
  const { report, forget } = notices((notice) => told.push(notice), {
    now: () => 0,
    schedule: () => never(),
  })
  for (const peer of ['b', 'c']) {
    for (let i = 0; i < 9; i++) report('peer-refused', `number ${i}`, peer)
    report('peer-unreachable', 'refused', peer)
  }
  forget('b')
  for (const peer of ['b', 'c']) {
    report('peer-refused', 'again', peer)
    report('peer-unreachable', 'refused', peer)
  }
  expect(told.slice(12).map(({ peer, message }) => `${peer} ${message}`)).toEqual([
    'b again',
    'b refused',
    'c refused',
  ])
})

function never(): never {
  throw new Error('nothing is scheduled')
}
