import { describe, expect, it } from 'vitest'
import { idleExcuses, projectFiles, violations } from './rules.ts'

describe('imports point left only', () => {
  it('the project keeps the rules', () => {
    expect(projectFiles().flatMap((path) => violations(path))).toEqual([])
  })

  it('looks at every layer', () => {
    const folders = new Set(projectFiles().map((path) => path.split('/')[0]))
    expect([...folders]).toEqual(expect.arrayContaining(['lib', 'operators', 'adapters', 'spec']))
  })

  it('no file is excused for what it no longer does', () => {
    expect(idleExcuses()).toEqual([])
  })
})

/** What must be refused: where, what, and a part of what is said about it. */
const planted = [
  ['lib/a.ts', `import { map } from 'rxjs'`, 'values from rxjs'],
  ['lib/a.ts', `import type { Observable } from 'rxjs'`, 'types from rxjs'],
  ['lib/a.ts', `import { readFile } from 'node:fs'`, 'values from node:fs'],
  ['lib/a.ts', `import { propose } from '../operators/propose.ts'`, '../operators/propose.ts'],
  ['lib/a.ts', `export { propose } from '../operators/propose.ts'`, '../operators/propose.ts'],
  ['lib/a.ts', `const late = import('../kv/cli.ts')`, '../kv/cli.ts'],
  ['lib/a.ts', `let it: import('rxjs').Observable<1>`, 'types from rxjs'],
  ['lib/a.ts', `import { a } from './b.js'`, ''],
  ['operators/a.ts', `import { file } from '../adapters/storage/file.ts'`, 'adapters/storage'],
  ['operators/a.ts', `import { Packr } from 'msgpackr'`, 'values from msgpackr'],
  ['operators/a.ts', `import { hrtime } from 'node:process'`, 'node:process'],
  ['adapters/storage/a.ts', `import { step } from '../../lib/step.ts'`, 'values from'],
  ['adapters/storage/a.ts', `import { raft } from '../../operators/engine/index.ts'`, 'values'],
  ['adapters/storage/a.ts', `import { Hono } from 'hono'`, 'hono'],
  ['testing/a.ts', `import { file } from '../adapters/storage/file.ts'`, 'storage/file.ts'],
  ['testing/a.ts', `import { readFile } from 'node:fs'`, 'node:fs'],
  ['kv/a.ts', `import { step } from '../lib/step.ts'`, '../lib/step.ts'],
  ['kv/a.ts', `import { step } from 'rxraft/lib/step'`, 'rxraft/lib/step'],
  ['examples/a.ts', `import { raft } from '../operators/engine/index.ts'`, 'engine/index.ts'],
  ['spec/a.ts', `import { step } from 'rxraft/dist/index.js'`, 'rxraft/dist'],
  ['lib/a.ts', `const now = Date.now()`, 'uses Date'],
  ['lib/a.ts', `const now = new Date()`, 'uses Date'],
  ['lib/a.ts', `const x = { at: performance.now() }`, 'uses performance'],
  ['lib/a.ts', `const roll = () => Math.random()`, 'uses Math.random'],
  ['lib/a.ts', `console.log(1)`, 'uses console'],
  ['lib/a.ts', `process.exit()`, 'uses process'],
  ['lib/a.ts', `setTimeout(() => {}, 1)`, 'uses setTimeout'],
  ['lib/a.ts', `let bytes: Buffer`, 'uses Buffer'],
  ['operators/a.ts', `const roll = Math.random`, 'uses Math.random'],
  ['operators/a.ts', `const now = { Date }`, 'uses Date'],
  ['adapters/transport/a.ts', `setTimeout(() => {}, 1)`, 'uses setTimeout'],
  ['testing/a.ts', `const now = () => Date.now()`, 'uses Date'],
  ['lib/a.ts', `enum Role { Leader }`, 'enum Role'],
  ['lib/a.ts', `export namespace Roles { export const a = 1 }`, 'namespace Roles'],
  ['kv/a.ts', `export default 1`, 'export default'],
  ['bench/a.ts', `export default function run() {}`, 'export default'],
] as const

describe('the checker refuses', () => {
  it.each(planted)('in %s: %s', (path, text, said) => {
    expect(violations(path, text)).toEqual([expect.stringContaining(said)])
  })
})

/** What must not be refused. */
const allowed = [
  ['lib/a.ts', `import { last } from './log.ts'; export const Role = { Date: 1 }; last.Date`],
  ['lib/a.ts', `const floor = Math.floor(1.5); interface At { performance: number }`],
  ['operators/a.ts', `import { scan } from 'rxjs'; import { step } from '../lib/step.ts'`],
  ['operators/codec.ts', `import { Packr } from 'msgpackr'`],
  ['adapters/storage/a.ts', `import type { Save } from '../../lib/storage.ts'`],
  ['adapters/storage/a.ts', `import { type Save } from '../../lib/storage.ts'`],
  ['adapters/storage/a.ts', `import { StorageError } from '../../lib/errors.ts'`],
  ['adapters/storage/a.ts', `import { open } from 'node:fs'; import { crc } from './crc.ts'`],
  ['testing/a.ts', `import { memory } from '../adapters/storage/memory.ts'`],
  ['kv/a.ts', `import { raft } from 'rxraft'; import { file } from 'rxraft/storage/file'`],
  ['kv/a.ts', `import { Hono } from 'hono'; import { store } from './store.ts'`],
  ['spec/a.ts', `import { step } from '../lib/step.ts'; const now = Date.now()`],
] as const

describe('the checker allows', () => {
  it.each(allowed)('in %s: %s', (path, text) => {
    expect(violations(path, text)).toEqual([])
  })
})
