import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Caller } from './calls.ts'
import type { Place, Worker } from './worker.ts'

/** What is measured: a script that runs as several processes. */
export interface Subject {
  readonly name: string
  /** Under bench/. */
  readonly script: string
  readonly way: string
  /** How many processes. Default 3. */
  readonly processes?: number
  /** Whether it runs from the sources, where one side needs more than is published. Default: the build. */
  readonly fromSources?: true
}

export interface Ground {
  /** A directory on a real disk. */
  readonly directory: string
  /** Where each process leaves a CPU profile. Default: none is taken. */
  readonly profiles?: string | undefined
}

/** A process of a cluster. */
export interface Server extends Pick<Caller<Worker>, 'call'> {
  /** Ends it; resolves when it has ended. */
  stop(): Promise<void>
}

const BUILT = fileURLToPath(new URL('../tsconfig.built.json', import.meta.url))
const SOURCES = fileURLToPath(new URL('../../tsconfig.json', import.meta.url))

export function launch(subject: Subject, place: Place, { profiles }: Ground): Server {
  const script = fileURLToPath(new URL(`../${subject.script}`, import.meta.url))
  // Each thread writes a profile of its own, the main one with a 0 before the last number.
  const folder = profiles === undefined ? undefined : join(profiles, `${subject.name}-${place.id}`)
  const profiling = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]
  const child = fork(script, [JSON.stringify(place)], {
    execArgv: ['--expose-gc', '--import', 'tsx', ...profiling],
    // The engine is measured as it is published: its name means the build, not the sources.
    env: { ...process.env, TSX_TSCONFIG_PATH: subject.fromSources ? SOURCES : BUILT },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const caller = new Caller<Worker>(child)
  return { call: (name, ...args) => caller.call(name, ...args), stop: () => end(child) }
}

async function end(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return
  const exited = once(worker, 'exit')
  const alarm = setTimeout(() => worker.kill('SIGKILL'), 5_000)
  if (worker.connected) worker.disconnect()
  await exited
  clearTimeout(alarm)
}
