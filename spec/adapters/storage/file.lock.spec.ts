import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { file } from '../../../adapters/storage/file.ts'
import { DirectoryLocked } from '../../../lib/errors.ts'
import { temporaryDirectories } from './directories.ts'
import { batch, reopen, run, save, saveAll } from './run.ts'

const directory = temporaryDirectories()
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A second process with the directory; `lines` is what it has said. */
function holder(path: string, then: 'stay' | 'leave' | 'save', before: string[] = []) {
  const script = fileURLToPath(new URL('holder.ts', import.meta.url))
  const [command, ...args] = [...before, process.execPath, '--import', 'tsx', script, path, then]
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const exited = once(child, 'exit')
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const lines = (): string[] => text.split('\n').slice(0, -1)
  const said = async (isEnough: (lines: string[]) => boolean): Promise<string[]> => {
    while (!isEnough(lines())) await Promise.race([once(child.stdout, 'data'), exited])
    return lines()
  }
  return { child, exited, said, first: async () => (await said((it) => it.length > 0))[0] }
}

describe('a directory belongs to one node', { timeout: 60_000 }, () => {
  it('within a process [F10]', async () => {
    const path = directory()
    const first = run(file(path))
    await first.restored()
    const error = await run(file(path)).ended()
    expect(error).toBeInstanceOf(DirectoryLocked)
    expect(error).toMatchObject({ directory: path, outcome: 'none' })
    first.save$.next(save(1, 1, 'a', batch(1, 1, ['still mine'])))
    await first.acknowledged(1)
    first.stop()
    expect((await reopen(file(path))).batches).toHaveLength(1)
  })

  it('by whatever name it goes', async () => {
    const path = directory()
    const first = run(file(path))
    await first.restored()
    const link = join(dirname(path), 'link')
    symlinkSync(path, link)
    expect(await run(file(link)).ended()).toBeInstanceOf(DirectoryLocked)
    first.stop()
  })

  it('of many that start at once, one has it', async () => {
    const path = directory()
    const nodes = Array.from({ length: 10 }, () => run(file(path)))
    const results = await Promise.allSettled(nodes.map((node) => node.restored()))
    const refusals = results
      .filter((it) => it.status === 'rejected')
      .map((it) => it.reason as unknown)
    expect(refusals).toHaveLength(9)
    expect(refusals.every((it) => it instanceof DirectoryLocked)).toBe(true)
    for (const node of nodes) node.stop()
  })

  it('among processes; one that is killed holds it no longer [F10]', async () => {
    const path = directory()
    const other = holder(path, 'stay')
    expect(await other.first()).toBe('open')
    expect(await run(file(path)).ended()).toBeInstanceOf(DirectoryLocked)
    other.child.kill('SIGKILL')
    await other.exited
    expect((await reopen(file(path))).type).toBe('restored')
  })

  it.runIf(process.platform === 'linux')('even when its lock file is removed', async () => {
    const path = directory()
    const other = holder(path, 'stay')
    expect(await other.first()).toBe('open')
    rmSync(join(path, 'lock'))
    expect(await run(file(path)).ended()).toBeInstanceOf(DirectoryLocked)
  })

  it('among processes that start at once: exactly one has it', async () => {
    const path = directory()
    const others = [holder(path, 'stay'), holder(path, 'stay'), holder(path, 'stay')]
    const said = await Promise.all(others.map((it) => it.first()))
    expect(said.sort()).toEqual(['directory-locked', 'directory-locked', 'open'])
  })

  it('for a process that is stopped but not dead', async () => {
    const path = directory()
    const other = holder(path, 'stay')
    expect(await other.first()).toBe('open')
    other.child.kill('SIGSTOP')
    expect(await run(file(path)).ended()).toBeInstanceOf(DirectoryLocked)
  })

  it.runIf(
    process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/unshare'),
  )('among containers, which have a network namespace each [F10]', async () => {
    const path = directory()
    const inside = holder(path, 'stay', ['/usr/bin/unshare', '--net'])
    expect(await inside.first()).toBe('open')
    expect(await run(file(path)).ended()).toBeInstanceOf(DirectoryLocked)
    inside.child.kill('SIGKILL')
    await inside.exited
    expect((await reopen(file(path))).type).toBe('restored')
  })
})

describe('a process', { timeout: 60_000 }, () => {
  it('ends by itself when it has unsubscribed', async () => {
    const path = directory()
    const { exited, said } = holder(path, 'leave')
    expect(await exited).toEqual([0, null])
    expect(await said(() => true)).toEqual(['open', '1'])
    expect(readdirSync(path)).toEqual(['00000001.log'])
  })

  it('that is killed while it saves loses nothing that it was told durable [F7]', async () => {
    const path = directory()
    for (let round = 0; round < 3; round++) {
      const { child, exited, said } = holder(path, 'save')
      await said((lines) => lines.length > 50)
      child.kill('SIGKILL')
      await exited
      const most = Number((await said(() => true)).at(-1))
      const { batches } = await reopen(file(path))
      expect(batches.at(-1)!.index).toBeGreaterThanOrEqual(most)
    }
    await saveAll(file(path), [save(1, 1, 'a')])
  })
})
