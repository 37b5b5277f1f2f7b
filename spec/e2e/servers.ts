import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFailed } from 'vitest'
import { freePorts } from '../../bench/harness/ports.ts'

const cli = fileURLToPath(new URL('../../dist/kv/cli.js', import.meta.url))

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A real `rxraft serve` process. */
export interface Server {
  readonly id: string
  readonly http: string
  readonly data: string
  readonly process: ChildProcess
  readonly exited: Promise<Exit>
  /** Everything that it has printed so far. */
  output(): string
}

export interface Status {
  readonly id: string
  readonly role: string
  readonly term: number
  readonly leader?: string
  readonly commitIndex: number
  readonly appliedIndex: number
}

/** Three servers on loopback that are a cluster, with data in a folder of their own, and others that join it. */
export class Servers {
  readonly ids = ['a', 'b', 'c'] as const
  readonly data = mkdtempSync(join(tmpdir(), 'rxraft-e2e-'))
  readonly running = new Map<string, Server>()
  readonly #started: Server[] = []

  private constructor(
    private readonly others: readonly string[],
    private readonly ports: readonly number[],
  ) {}

  static async create(others: readonly string[] = []): Promise<Servers> {
    const servers = new Servers(others, await freePorts(6 + 2 * others.length))
    onTestFailed(() => servers.#print())
    return servers
  }

  start(
    id: string,
    options: {
      args?: readonly string[]
      data?: string
      ports?: number[]
      /** A server of the cluster that this one joins. */
      contact?: string
      /** Who founds the cluster. */
      founders?: readonly string[]
    } = {},
  ): Server {
    const { args = [], data = join(this.data, id), contact } = options
    const [listen, http] = options.ports ?? this.#portsOf(id)
    const founders = (options.founders ?? this.ids).flatMap((member) => [
      '--member',
      this.memberOf(member),
    ])
    const members = contact === undefined ? founders : ['--join', contact]
    const child = spawn(
      process.execPath,
      // prettier-ignore
      [cli, 'serve', '--id', id, '--data', data, '--listen', `127.0.0.1:${listen}`,
        '--http', `127.0.0.1:${http}`, ...members, ...args],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    }
    const exited = new Promise<Exit>((resolve) =>
      child.once('close', (code, signal) => resolve({ code, signal })),
    )
    const server: Server = {
      id,
      http: `http://127.0.0.1:${http}`,
      data,
      process: child,
      exited,
      output: () => output,
    }
    this.running.set(id, server)
    this.#started.push(server)
    return server
  }

  /** As the command line names it. */
  memberOf(id: string): string {
    const [raft, web] = this.#portsOf(id)
    return `${id}=127.0.0.1:${raft},http://127.0.0.1:${web}`
  }

  startAll(args: readonly string[] = []): void {
    for (const id of this.ids) this.start(id, { args })
  }

  async stop(id: string, signal: NodeJS.Signals): Promise<Exit> {
    const server = this.running.get(id)!
    this.running.delete(id)
    server.process.kill(signal)
    return server.exited
  }

  /** The server that leads and that a quorum follows, once there is one. */
  async leader(): Promise<Server> {
    return eventually('a leader', async () => {
      for (const server of this.running.values()) {
        const status = await statusOf(server)
        if (status?.role === 'leader' && status.commitIndex > 0) return server
      }
      return undefined
    })
  }

  async close(): Promise<void> {
    for (const { process } of this.#started) process.kill('SIGKILL')
    await Promise.all(this.#started.map(({ exited }) => exited))
    rmSync(this.data, { recursive: true, force: true })
  }

  /** What they said, where a test is at a loss. */
  #print(): void {
    for (const { id, output, process } of this.#started) {
      console.error(`${id} (exit code ${process.exitCode}):\n${output()}`)
    }
  }

  #portsOf(id: string): [raft: number, http: number] {
    const i = [...this.ids, ...this.others].indexOf(id)
    return [this.ports[2 * i]!, this.ports[2 * i + 1]!]
  }
}

/** Runs the program to its end. */
export async function rxraft(...args: readonly string[]): Promise<Exit & { output: string }> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  }
  return new Promise((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, output })),
  )
}

export async function statusOf(server: Server): Promise<Status | undefined> {
  try {
    const response = await fetch(`${server.http}/status`)
    return (await response.json()) as Status
  } catch {
    return undefined
  }
}

/** Asks again until there is an answer: the awaited condition of everything that takes its time. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  within = 15_000,
): Promise<T> {
  const end = performance.now() + within
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > end) throw new Error(`${what}: not within ${within} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
