import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Catch, Hunt } from './hunt.ts'

/**
 * Runs a bundled hunt in a process of its own, which may take so many seconds of real time. Throws when
 * it ends without a result: a mutant that hangs or breaks the simulator itself proves nothing.
 */
export async function hunting(module: string, hunt: Hunt, limit: number): Promise<Catch | null> {
  const args = ['--input-type=module', '-', JSON.stringify(hunt)]
  const child = spawn(process.execPath, args, { timeout: limit * 1000, killSignal: 'SIGKILL' })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const closed = once(child, 'close') as Promise<[code: number | null, signal: string | null]>
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  child.stdin.on('error', () => undefined) // a child that dies early says why on stderr
  child.stdin.end(module)
  const [code, signal] = await closed
  process.off('exit', kill)
  const [out, err] = await said
  if (signal !== null) throw new Error(`no result within ${limit} s`)
  if (code !== 0)
    throw new Error(err.split('\n').find((line) => /Error/.test(line)) ?? `exit ${code}`)
  return JSON.parse(out.trim().split('\n').at(-1)!) as Catch | null
}
