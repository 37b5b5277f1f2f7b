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
  /** Has it work for this share of the time only. The returned function has it work all the time again. */
  slow(share: number): () => void
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
  return {
    call: (name, ...args) => caller.call(name, ...args),
    slow: (share) => slow(child, share),
    stop: () => end(child),
  }
}

/** So long, in ms, a slow process works and rests together. */
const PERIOD = 100

/** Everything that a process does takes longer when the system lets it run only now and then: its disk, wires and code. */
function slow(child: ChildProcess, share: number): () => void {
  let due: NodeJS.Timeout
  const goOn = (): void => {
    child.kill('SIGCONT')
    due = setTimeout(halt, PERIOD * share)
  }
  const halt = (): void => {
    child.kill('SIGSTOP')
    due = setTimeout(goOn, PERIOD * (1 - share))
  }
  halt()
  return () => {
    clearTimeout(due)
    child.kill('SIGCONT')
  }
}

async function end(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return
  const exited = once(worker, 'exit')
  const alarm = setTimeout(() => worker.kill('SIGKILL'), 5_000)
  if (worker.connected) worker.disconnect()
  await exited
  clearTimeout(alarm)
}
