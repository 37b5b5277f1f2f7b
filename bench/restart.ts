import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { launch } from './harness/server.ts'
import { list } from './list.ts'
import { figure } from './report.ts'
import type { Suite } from './suite.ts'

const ENTRIES = 1_000_000
const QUICK_ENTRIES = 100_000

/** Seconds. */
const TARGET = 2

export const restart: Suite = {
  name: 'restart',
  about:
    'a server with entries of 64 B in its log, none of them in a snapshot, until all are applied and it takes commands',
  run: async ({ isQuick, runs }, ground, print) => {
    const entries = isQuick ? QUICK_ENTRIES : ENTRIES
    const directory = mkdtempSync(join(ground.directory, 'restart-'))
    const subject = { name: 'restart', script: 'full.ts', way: '' }
    const members = [{ id: 'a', port: 0 }]
    const life = async (work: (call: Call) => Promise<unknown>): Promise<unknown> => {
      const place = { id: 'a', members, joins: false, directory, way: '' }
      const server = launch(subject, place, ground)
      try {
        await server.call('start')
        return await work((act, argument) => server.call('act', act, argument))
      } finally {
        await server.stop()
      }
    }
    try {
      await life((call) => call('fill', entries))
      const ready: number[] = []
      for (let run = 0; run < runs; run++) {
        ready.push((await life((call) => call('ready', entries))) as number)
      }
      const aim = { atMost: TARGET }
      const named = { suite: 'restart', case: `${entries.toLocaleString('en')} entries` }
      const found = [figure({ ...named, metric: 'ready', unit: 's', values: ready, aim })]
      print(list(found))
      return found
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
}

type Call = (act: string, argument?: unknown) => Promise<unknown>
