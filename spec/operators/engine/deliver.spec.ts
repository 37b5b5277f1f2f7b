import { ignoreElements, map, merge, mergeMap, NEVER, tap, throwError, timer } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { Envelope } from '../../../lib/messages.ts'
import type { Notice } from '../../../lib/storage.ts'
import type { Step } from '../../../lib/turn.ts'
import type { Transport } from '../../../operators/adapters.ts'
import { deliver } from '../../../operators/engine/deliver.ts'
import { marbles, stepWith } from '../support.ts'

const envelope = (from: string, to: string, round: number): Envelope => ({
  from,
  to,
  message: { type: 'heartbeatReply', term: 1, round },
})

const [a, b] = [envelope('a', 'b', 1), envelope('a', 'c', 1)]
const [x, y] = [envelope('b', 'a', 2), envelope('c', 'a', 3)]
const steps = { s: stepWith({ send: [a, b] }), t: stepWith() }
const receivedAt = (at: number, heard: Envelope) => ({ type: 'received', at, envelope: heard })

describe('deliver', () => {
  it('turns steps into what the peers say', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = hot('   --s--------t----|', steps)
      const outbound = '     --(ab)----------|'
      const inbound$ = cold('------x---y------', { x, y })
      const result = '       ------x---y------'
      const subscriber = '   ^----------------!'
      const transport: Transport = (sent) => {
        expectObservable(sent).toBe(outbound, { a, b })
        return merge(sent.pipe(ignoreElements()), inbound$)
      }
      const heard = { x: receivedAt(6, x), y: receivedAt(10, y) }
      expectObservable(source.pipe(deliver(transport, scheduler)), subscriber).toBe(result, heard)
      expectSubscriptions(inbound$.subscriptions).toBe(subscriber)
    })
  })

  it('sends the messages of a step in their order, and those of steps too', () => {
    const sent: Envelope[] = []
    const transport: Transport = (outbound) =>
      outbound.pipe(
        tap((message) => sent.push(message)),
        ignoreElements(),
      )
    const reply = stepWith({ send: [y, x] })
    marbles(({ hot }) =>
      hot('s-r-s', { ...steps, r: reply })
        .pipe(deliver(transport))
        .subscribe(),
    )
    expect(sent).toEqual([a, b, y, x, a, b])
  })

  it('stamps a notice and lets it pass, whatever it says', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const source = hot<Step>('-----')
      const result = '          --n--'
      const notice: Notice = {
        type: 'notice',
        source: 'transport',
        code: 'peer-connected',
        message: 'b is there',
        peer: 'b',
      }
      const transport: Transport = () => merge(timer(2).pipe(map(() => notice)), NEVER)
      const heard = { n: { ...notice, at: 2 } }
      expectObservable(source.pipe(deliver(transport, scheduler))).toBe(result, heard)
    })
  })

  it('errors when the transport does', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('---s---', steps)
      const whole = '     ^--!'
      const result = '    ---#'
      const broken: Transport = mergeMap(() => throwError(() => new Error('network')))
      const error = new Error('network')
      expectObservable(source.pipe(deliver(broken))).toBe(result, undefined, error)
      expectSubscriptions(source.subscriptions).toBe(whole)
    })
  })

  it('completes when the transport completes', () => {
    marbles(({ hot, expectObservable }) => {
      const source = hot('            ---s---', steps)
      const inbound$ = hot<Envelope>('----|')
      const result = '                ----|'
      expectObservable(source.pipe(deliver(() => inbound$))).toBe(result)
    })
  })

  it('closes the transport when it is unsubscribed', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('   ---------', steps)
      const sockets$ = cold('---------')
      const subscriber = '   ^----!'
      const transport: Transport = () => sockets$.pipe(ignoreElements())
      expectObservable(source.pipe(deliver(transport)), subscriber).toBe('---------')
      expectSubscriptions(sockets$.subscriptions).toBe(subscriber)
    })
  })
})
