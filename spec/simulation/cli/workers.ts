import { fork } from 'node:child_process'
import { simulate } from '../../../testing/simulation/simulate.ts'
import type { Options } from './options.ts'
import { summaryOf, type Summary } from './totals.ts'

/** What a worker is sent: one seed at a time. */
type Task = Pick<Options, 'nodes' | 'seconds'> & { readonly seed: number }

/** Runs seeds as they are sent, until the other end is gone. */
export function work(): void {
  process.on('message', ({ seed, nodes, seconds }: Task) => {
    process.send!(summaryOf(simulate({ nodes, seed, duration: seconds * 1000 })))
  })
}

/** Runs every seed in processes of `program`, which call {@link work}, and hears of each as it ends. */
export async function share(
  program: string,
  { seeds, nodes, seconds, jobs }: Options,
  heard: (summary: Summary) => void,
): Promise<void> {
  const waiting = seeds[Symbol.iterator]()
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = fork(program, ['--worker'])
      let isDone = false
      const serve = (): void => {
        const next = waiting.next()
        if (next.done !== true) {
          worker.send({ seed: next.value, nodes, seconds } satisfies Task)
          return
        }
        isDone = true
        worker.disconnect()
      }
      worker.on('message', (summary: Summary) => {
        heard(summary)
        serve()
      })
      worker.on('error', reject)
      worker.on('exit', (code, signal) => {
        if (isDone) resolve()
        else reject(new Error(`a worker ended early, with ${signal ?? `code ${code}`}`))
      })
      serve()
    })
  await Promise.all(Array.from({ length: jobs }, run))
}
