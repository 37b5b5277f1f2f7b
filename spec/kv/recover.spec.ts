import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { file, type Refounded } from 'rxraft/storage/file'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { batch, save, saveAll } from '../adapters/storage/run.ts'
import { rxraft } from './rxraft.ts'

const root = mkdtempSync(join(tmpdir(), 'rxraft-recover-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const data = join(root, 'a')
const order = ['recover', '--data', data]
const member = ['--member', 'a=10.0.0.1:7001,http://10.0.0.1:8001']

beforeAll(() =>
  saveAll(file(data, { cluster: 'shop', unsafeNoFsync: true, segmentSize: 16 << 10 }), [
    save(1, 4, 'b', batch(1, 4, ['x', 'y'])),
  ]),
)

describe('rxraft recover', () => {
  it('is misused without a name, without the server, and under the name that the cluster had', async () => {
    expect(await rxraft(...order, ...member)).toMatchObject({
      ...{ code: 2, err: expect.stringContaining('--unsafe-new-cluster') as string },
    })
    expect(await rxraft(...order, '--unsafe-new-cluster', 'new')).toMatchObject({
      ...{ code: 2, err: expect.stringContaining('--member') as string },
    })
    expect(await rxraft(...order, '--unsafe-new-cluster', 'shop', ...member)).toMatchObject({
      code: 2,
      err: expect.stringContaining("option '--unsafe-new-cluster' is invalid") as string,
    })
  })

  it('tells what may be lost and what may appear, and changes nothing', async () => {
    const before = readdirSync(data)
    const { code, out, err } = await rxraft(...order, '--unsafe-new-cluster', 'new', ...member)
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(`${data} is of cluster "shop", in term 4; its last entry is 2, of term 4`)
    expect(out).toContain('What may be lost: every write that only servers which are gone had')
    expect(out).toContain('if one of them had an entry after 2, it is gone')
    expect(out).toContain('Whether any of them were committed is not known')
    expect(out).toContain('With --yes, a alone becomes cluster "new"')
    expect(readdirSync(data)).toEqual(before)
  })

  it('does it when it is told to, and says where the files are', async () => {
    const done = await rxraft(...order, '--unsafe-new-cluster', 'new', ...member, '--yes', '--json')
    expect(done.code).toBe(0)
    const backup = join(data, 'lost-cluster')
    expect(JSON.parse(done.out) as Refounded).toMatchObject({
      from: 'shop',
      cluster: 'new',
      backup,
    })
    expect((await rxraft('inspect', data)).out).toContain('cluster   new')
    const again = await rxraft(...order, '--unsafe-new-cluster', 'newer', ...member, '--yes')
    expect(again.out).toContain(`The files as they were: ${backup}.2`)
    expect(again.out).toContain('Start it with --cluster newer')
  })
})
