import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { bench } from './bench.ts'
import { pulse, roundsFrom, until, type Station } from './station.ts'

const { addresses, run } = bench()

type Child = ChildProcessByStdio<null, Readable, null>

const children: Child[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** The server `b` in a process of its own. */
function neighbour(
  peers: Record<string, string>,
  then: 'stay' | 'leave' | 'join',
  before: readonly string[] = [],
): Child {
  const script = fileURLToPath(new URL('neighbour.ts', import.meta.url))
  const node = [process.execPath, '--import', 'tsx', script]
  const [command, ...args] = [...before, ...node, JSON.stringify(peers), then]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

let round = 0

/** Sends until the other process answers that very pulse. */
async function echo(a: Station): Promise<void> {
  const mine = ++round
  await until(() => {
    a.send('b', pulse(mine))
    return roundsFrom(a, 'b').includes(mine)
  }, `an answer to pulse ${mine}`)
}

describe('in a process of its own', () => {
  it('a transport that is unsubscribed lets the process end by itself', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers)
    const child = neighbour(peers, 'leave')
    const exited = once(child, 'exit')
    await echo(a)
    expect(await exited).toEqual([0, null])
  })

  it('a transport that has learnt its peers lets the process end by itself, too', async () => {
    const peers = await addresses('a', 'b', 'c')
    // Nobody is at c, and a is nobody's peer: it is called, and calls b by the address of a message.
    const a = run('a', { a: peers['a']! })
    const child = neighbour(peers, 'join')
    const exited = once(child, 'exit')
    a.sendAt('b', peers['b']!, pulse(1))
    await echo(a)
    expect(await exited).toEqual([0, null])
  })

  it('a peer that is killed is found again when it is back [F6] [F7]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { idleTimeout: 60_000 })
    const child = neighbour(peers, 'stay')
    await echo(a)
    child.kill('SIGKILL')
    await a.noticed('peer-disconnected')
    neighbour(peers, 'stay')
    await echo(a)
  })

  it('a peer that is stopped is given up after the idle timeout, and found again [F3] [F8]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers, { idleTimeout: 300 })
    const child = neighbour(peers, 'stay')
    await echo(a)
    child.kill('SIGSTOP')
    await a.noticed('peer-disconnected', /silent for too long/)
    child.kill('SIGCONT')
    await echo(a)
  })

  it('a peer without file descriptors to spare goes on, and recovers [F72]', async () => {
    const peers = await addresses('a', 'b')
    const a = run('a', peers)
    const child = neighbour(peers, 'stay', ['sh', '-c', 'ulimit -n 48 && exec "$@"', 'sh'])
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
    await echo(a)
    let closed = 0
    const port = Number(peers['b']!.split(':')[1])
    const crowd = Array.from({ length: 60 }, () =>
      connect(port, '127.0.0.1')
        .on('error', () => undefined)
        .on('close', () => closed++),
    )
    // The system closes what it cannot hand over; a transport that did would have told.
    await until(() => closed >= 30, 'the descriptors to be used up')
    expect(said).not.toContain('peer-refused')
    await echo(a)
    for (const socket of crowd) socket.destroy()
    await echo(a)
    expect(child.exitCode).toBeNull()
    expect(a.notices.map(({ code }) => code)).not.toContain('peer-disconnected')
  })
})
