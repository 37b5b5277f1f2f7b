import { TransferFailed } from 'rxraft'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { farewell } from '../../kv/farewell.ts'

/** What a server says whose hand-over and whose snapshot go like this, and how long it takes. */
function expectWords(
  { transfer, snapshot }: { readonly transfer: string; readonly snapshot: string },
  words: string,
): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected))
  scheduler.run(({ cold, expectObservable }) => {
    const node = {
      transfer: () => cold(transfer, { b: 'b' }, new TransferFailed('nobody', undefined)),
      snapshot: () => cold(snapshot, { n: 7, z: 0 }, new Error('the node is stopped')),
    }
    expectObservable(farewell(node, 5)).toBe(words, {
      b: 'b leads from now on',
      n: 'a snapshot stands for everything through 7',
      t: 'there is no snapshot of the end: Timeout has occurred',
      s: 'there is no snapshot of the end: the node is stopped',
    })
  })
}

describe('a server that is to stop', () => {
  it('hands over, then takes a snapshot', () => {
    expectWords({ transfer: '--(b|)', snapshot: '---(n|)' }, '--b--(n|)')
  })

  it('takes a snapshot where nobody is there to hand over to', () => {
    expectWords({ transfer: '--#   ', snapshot: '---(n|)' }, '-----(n|)')
  })

  it('waits for a slow disk no longer than it may', () => {
    expectWords({ transfer: '#     ', snapshot: '-------(n|)' }, '-----(t|)')
  })

  it('does not say that it has covered nothing', () => {
    expectWords({ transfer: '#     ', snapshot: '-(z|)' }, '-|')
  })

  it('stops all the same when the node has failed', () => {
    expectWords({ transfer: '#     ', snapshot: '#' }, '(s|)')
  })
})
