import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { file } from 'rxraft/storage/file'
import { mark, snapshotAt, someBytes } from '../adapters/storage/chunks.ts'
import { batch, run as start, save, saveAll } from '../adapters/storage/run.ts'
import { rxraft } from './rxraft.ts'

const root = mkdtempSync(join(tmpdir(), 'rxraft-inspect-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const good = join(root, 'good')
const bad = join(root, 'bad')
const empty = join(root, 'empty')
const SEGMENT = '00000001.log'
const SNAPSHOT = 'snapshot-2.snap'

beforeAll(async () => {
  for (const path of [good, bad]) {
    const saves = [save(1, 1, 'a', batch(1, 1, ['x', 'y'])), save(2, 3, 'b', batch(3, 3, ['z']))]
    await saveAll(file(path), saves)
    await snapshotAt(file(path), 2, 1, someBytes(1000))
    const closing = start(file(path))
    await closing.restored()
    closing.stop()
  }
  mkdirSync(empty)
})

describe('rxraft inspect', () => {
  it('tells what a directory holds', async () => {
    const { code, out, err } = await rxraft('inspect', good)
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('ballot    term 3, vote for b')
    expect(out).toContain('entries   1 to 3')
    expect(out).toContain('term 3 from 3')
    expect(out).toContain(`through 2 in term 1, of a, b, c, 1000 bytes: ${join(good, SNAPSHOT)}`)
    expect(out).toMatch(
      new RegExp(`segment   ${join(good, SEGMENT)}: 2 records, \\d+ of \\d+ bytes`),
    )
    expect(out).not.toContain('torn')
  })

  it('prints JSON', async () => {
    const { code, out } = await rxraft('inspect', good, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      ...{ directory: good, term: 3, vote: 'b', entries: { first: 1, last: 3 } },
      terms: [
        { term: 1, index: 1 },
        { term: 3, index: 3 },
      ],
      snapshot: { index: 2, term: 1, members: mark(2, 1).members, size: 1000 },
      segments: [{ file: join(good, SEGMENT), records: 2 }],
    })
  })

  it('says when a node has the directory', async () => {
    const node = start(file(good))
    await node.restored()
    expect((await rxraft('inspect', good)).out).toContain('in use')
    node.stop()
  })

  it('fails for a directory that holds no log, or is not there', async () => {
    const nothing = await rxraft('inspect', empty)
    expect(nothing).toEqual({ code: 1, out: `${empty} holds no log\n`, err: '' })
    const { code, err } = await rxraft('inspect', join(root, 'nowhere'))
    expect([code, err]).toEqual([1, expect.stringMatching(/^rxraft: ENOENT/)])
  })

  it('is misused without a directory', async () => {
    expect(await rxraft('inspect')).toMatchObject({ code: 2, out: '' })
    expect(await rxraft('verify', good, 'more')).toMatchObject({ code: 2, out: '' })
  })
})

describe('rxraft verify', () => {
  it('says that everything is in order', async () => {
    const { code, out, err } = await rxraft('verify', good)
    const said = `${good} is in order: segments 1, records 2, a snapshot of 1000 bytes\n`
    expect({ code, out, err }).toEqual({ code: 0, out: said, err: '' })
    const { problems } = JSON.parse((await rxraft('verify', good, '--json')).out) as object & {
      problems: unknown
    }
    expect(problems).toEqual([])
  })

  it.each([
    [SNAPSHOT, 4096 + 500, 4096],
    [SEGMENT, 4096 + 50, 4096],
    [SNAPSHOT, 20, 0],
  ])('names %s, the offset and the remedy when byte %d is wrong', async (name, at, offset) => {
    const path = join(bad, name)
    const bytes = readFileSync(path)
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1
    writeFileSync(path, flipped)
    const { code, out, err } = await rxraft('verify', bad)
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(`${path} at offset ${offset}: `)
    expect(err).toContain('Bring this file back from a copy')
    const told = await rxraft('verify', bad, '--json')
    expect(told.code).toBe(1)
    expect(JSON.parse(told.out)).toMatchObject({ problems: [{ file: path, offset }] })
    writeFileSync(path, bytes)
  })

  it('fails for a directory that holds no log', async () => {
    expect(await rxraft('verify', empty)).toMatchObject({ code: 1, out: `${empty} holds no log\n` })
  })
})
