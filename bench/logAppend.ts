import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Subject } from 'rxjs'
import { file } from 'rxraft/storage/file'
import type { Save } from 'rxraft'
import { append, emptyLog } from '../lib/log.ts'
import { Meter, type Measured } from './harness/meter.ts'
import { packed, type Packed } from './lib/reducers.ts'
import { list } from './list.ts'
import { figure, type Result } from './report.ts'
import type { Suite } from './suite.ts'
import { perSecond } from './timing.ts'

const ENTRIES = [1, 256, 4096]

/** The log in memory is begun anew after so many batches. */
const WINDOW = 10_000

export const logAppend: Suite = {
  name: 'log-append',
  about:
    'batches of entries of 64 B to the log in memory, and durably to the log on disk, one save after the other',
  run: async ({ runs, seconds }, { directory }, print) => {
    const found: Result[] = []
    for (const count of ENTRIES) {
      const inMemory = Array.from({ length: runs }, () =>
        appendInMemory(packed(count), seconds / 4),
      )
      const onDisk: Measured[] = []
      for (let run = 0; run < runs; run++) {
        onDisk.push(await appendOnDisk(packed(count), directory, seconds))
      }
      found.push(...report(count, inMemory, onDisk))
    }
    print(list(found))
    return found
  },
}

function report(count: number, inMemory: number[], onDisk: readonly Measured[]): Result[] {
  const named = { suite: 'log-append', case: `batches of ${count}` }
  const rates = onDisk.map(({ rate }) => rate * count)
  return [
    figure({ ...named, metric: 'memory', unit: 'batches/s', values: inMemory }),
    figure({ ...named, metric: 'disk', unit: 'entries/s', values: rates }),
    figure({ ...named, metric: 'disk p50', unit: 'ms', values: onDisk.map(({ p50 }) => p50) }),
    figure({ ...named, metric: 'disk p99', unit: 'ms', values: onDisk.map(({ p99 }) => p99) }),
  ]
}

function appendInMemory({ count, bytes }: Packed, seconds: number): number {
  let log = emptyLog()
  const one = (): void => {
    if (log.length === WINDOW) log = emptyLog()
    log = append(log, [{ index: log.lastIndex + 1, term: 1, kind: 'command', count, bytes }])
  }
  return perSecond(one, seconds)
}

/** One save after the other, each when the one before is durable. */
async function appendOnDisk(
  { count, bytes }: Packed,
  directory: string,
  seconds: number,
): Promise<Measured> {
  const home = mkdtempSync(join(directory, 'append-'))
  const requests$ = new Subject<Save>()
  const meter = new Meter()
  let sequence = 0
  let began = 0
  const save = (): void => {
    const index = sequence++ * count + 1
    began = performance.now()
    const batches = [{ index, term: 1, kind: 'command', count, bytes }] as const
    requests$.next({ type: 'save', sequence, term: 1, vote: undefined, batches })
  }
  try {
    return await new Promise<Measured>((done, fail) => {
      let measured: Measured | undefined
      const next = (): void => {
        if (meter.isOn) return save()
        measured = meter.end()
        requests$.complete()
      }
      file(home)(requests$).subscribe({
        next: ({ type }) => {
          if (type === 'restored') {
            meter.begin()
            setTimeout(() => meter.stop(), seconds * 1000)
            next()
          } else if (type === 'saved') {
            meter.sample(performance.now() - began)
            meter.count++
            next()
          }
        },
        error: fail,
        complete: () => done(measured!),
      })
    })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
