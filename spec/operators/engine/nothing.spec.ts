import { describe, it } from 'vitest'
import type { DiskRequest, Save } from '../../../lib/storage.ts'
import { silent, volatile } from '../../../operators/engine/nothing.ts'
import { marbles } from '../support.ts'
import { foundingMembers } from '../../../lib/members.ts'

const mark = { index: 4, term: 1, members: foundingMembers(['a']) }
const save: Save = { type: 'save', sequence: 1, term: 2, vote: 'a', batches: [] }
const chunk = (offset: number, isLast: boolean): DiskRequest => ({
  ...{ type: 'writeChunk', mark, offset, bytes: new Uint8Array(3) },
  ...{ isLast, checksum: undefined },
})

describe('the disk of a node that has none', () => {
  it('holds nothing, answers at once and completes with its requests', () => {
    marbles(({ hot, expectObservable }) => {
      const requests: Record<string, DiskRequest> = {
        s: save,
        w: chunk(0, false),
        x: chunk(3, true),
        r: { type: 'readChunk', index: 4, offset: 0, reader: 'a' },
        f: { type: 'forget', before: 5 },
      }
      const source = hot('-s-w-x-r-f-|', requests)
      const result = '    Rs-w-x-r---|'
      const gone = { offset: 0, bytes: undefined, isLast: false, checksum: undefined }
      expectObservable(source.pipe(volatile)).toBe(result, {
        R: { type: 'restored', term: 0, vote: undefined, batches: [] },
        s: { type: 'saved', sequence: 1, term: 2 },
        w: { type: 'chunkWritten', index: 4, end: 3, isLast: false },
        x: { type: 'chunkWritten', index: 4, end: 6, isLast: true },
        r: { type: 'chunkRead', reader: 'a', index: 4, ...gone },
      })
    })
  })

  it('errors when its requests do', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot<DiskRequest>('-#').pipe(volatile)).toBe('R#', {
        R: { type: 'restored', term: 0, vote: undefined, batches: [] },
      })
    })
  })
})

describe('the network of a node that has no peers', () => {
  it('says nothing and completes with the node', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot<never>('-a-b-|').pipe(silent)).toBe('-----|')
    })
  })
})
