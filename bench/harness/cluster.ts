import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Measured } from './meter.ts'
import type { Load, Place, Said } from './worker.ts'

/** What is measured: a script that runs as three processes. */
export interface Subject {
  readonly name: string
  readonly script: string
  readonly way: string
}

export interface Ground {
  /** A directory on a real disk. */
  readonly directory: string
  /** Where each process leaves a CPU profile. Default: none is taken. */
  readonly profiles?: string | undefined
}

/** What one run came to. */
export interface Outcome {
  /** Durable commits a second. */
  readonly rate: number
  /** Milliseconds from the command to its result. */
  readonly p50: number
  readonly p99: number
  /** Processor time that a commit takes on all three servers together, in µs. */
  readonly cpu: number
}

const IDS = ['a', 'b', 'c']
const PATIENCE = 30_000
const BUILT = fileURLToPath(new URL('../tsconfig.built.json', import.meta.url))

/** Three processes that have found their leader. */
export interface Cluster {
  measure(load: Load): Promise<Outcome>
  /** Ends the processes, and leaves nothing behind. */
  stop(): Promise<void>
}

/** Starts the subject as three processes on an empty disk. */
export async function start(subject: Subject, ground: Ground): Promise<Cluster> {
  const directory = mkdtempSync(join(ground.directory, `${subject.name}-`))
  const ports = await freePorts(IDS.length)
  const members = IDS.map((id, i) => ({ id, port: ports[i]! }))
  const { way } = subject
  const workers = IDS.map((id) => launch(subject, { id, members, directory, way }, ground))
  const stop = async (): Promise<void> => {
    await Promise.all(workers.map(end))
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const places = await Promise.all(workers.map((worker) => heard(worker, 'ready', 0)))
    const leader = places.findIndex(({ leads }) => leads)
    if (leader < 0) throw new Error(`${subject.name}: nobody leads`)
    return { measure: (load) => measure(workers, leader, load), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function measure(
  workers: readonly ChildProcess[],
  leader: number,
  load: Load,
): Promise<Outcome> {
  for (const worker of workers) worker.send(load)
  const said = workers.map((worker) => heard(worker, 'measured', load.seconds * 1000))
  const all = (await Promise.all(said)).map(({ measured }) => measured)
  return outcome(all[leader]!, all)
}

function outcome({ rate, p50, p99 }: Measured, all: readonly Measured[]): Outcome {
  const seconds = all.reduce((sum, { cpu }) => sum + cpu, 0)
  return { rate, p50, p99, cpu: (seconds / rate) * 1e6 }
}

function launch(subject: Subject, place: Place, { profiles }: Ground): ChildProcess {
  const script = fileURLToPath(new URL(`../${subject.script}`, import.meta.url))
  // Each thread writes a profile of its own, the main one with a 0 before the last number.
  const folder = profiles === undefined ? undefined : join(profiles, `${subject.name}-${place.id}`)
  const profiling = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]
  return fork(script, [JSON.stringify(place)], {
    execArgv: ['--import', 'tsx', ...profiling],
    // The engine is measured as it is published: its name means the build, not the sources.
    env: { ...process.env, TSX_TSCONFIG_PATH: BUILT },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

/** Waits for what the worker says next, which must be of this type and is due after so many ms. */
function heard<T extends Said['type']>(
  worker: ChildProcess,
  type: T,
  after: number,
): Promise<Extract<Said, { type: T }>> {
  return new Promise((done, fail) => {
    const patience = after + PATIENCE
    const alarm = setTimeout(() => finish(new Error(`no '${type}' in ${patience} ms`)), patience)
    const hear = (said: Said): void => finish(undefined, said)
    const exited = (code: number | null): void =>
      finish(new Error(`a process ended with ${code} before '${type}'`))
    const finish = (error: Error | undefined, said?: Said): void => {
      clearTimeout(alarm)
      worker.off('message', hear).off('exit', exited)
      if (said?.type === type) done(said as Extract<Said, { type: T }>)
      else fail(error ?? new Error(`'${said?.type}' instead of '${type}'`))
    }
    worker.on('message', hear).on('exit', exited)
  })
}

async function end(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return
  const exited = once(worker, 'exit')
  const alarm = setTimeout(() => worker.kill('SIGKILL'), 5_000)
  if (worker.connected) worker.disconnect()
  await exited
  clearTimeout(alarm)
}

/** Below the ports that systems give to outgoing connections, which would take them meanwhile. */
const LOWEST_PORT = 15_000
const PORTS = 15_000

async function freePorts(count: number): Promise<number[]> {
  const free = new Set<number>()
  while (free.size < count) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORTS)
    if (await isFree(port)) free.add(port)
  }
  return [...free]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
    await once(server.close(), 'close')
    return true
  } catch {
    return false
  }
}
