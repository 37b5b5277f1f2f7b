import { clients } from './clients.ts'
import { engine } from './engine.ts'
import { failover } from './failover.ts'
import { http } from './http.ts'
import { measuredBy } from './measured.ts'
import { svg } from './page.ts'
import type { Plot } from './plot.ts'
import type { Record } from './record.ts'

const plots: readonly Plot[] = [engine, clients(64), clients(4096), http, failover]

export interface Drawing {
  readonly file: string
  readonly svg: string
}

/** A drawing for each plot of which these records have figures. */
export const drawingsOf = (records: readonly Record[]): Drawing[] =>
  plots.flatMap(({ file, suite, legend, page }) => {
    const { figures, sources } = measuredBy(suite, records)
    const drawn = page(figures)
    if (drawn.charts.length === 0) return []
    return [{ file, svg: svg({ ...drawn, caption: [legend, ...sources] }) }]
  })
