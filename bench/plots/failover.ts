import { aimOf } from './measured.ts'
import { AIMED, OURS, THEIRS } from './palette.ts'
import type { Plot } from './plot.ts'
import { roundOf } from './round.ts'
import { sharesOf } from './shares.ts'

const STORES = [
  { name: 'etcd', colour: THEIRS },
  { name: 'rxraft', colour: OURS },
]

export const failover: Plot = {
  file: 'failover.svg',
  suite: 'failover',
  legend: 'Each store with the settings that it has by itself.',
  page: (figures) => {
    const outages = figures.filter(({ metric }) => metric === 'outage')
    const aims = outages.flatMap(aimOf)
    const x = {
      ...{ label: 'ms without a write', scale: 'log' as const },
      ...roundOf([...outages.flatMap(({ values }) => values), ...aims]),
    }
    const shares = STORES.map(({ name, colour }) => {
      const values = outages.find((it) => it.case === name)?.values ?? []
      return { colour, sorted: [...values].sort((a, b) => a - b) }
    })
    return {
      title: 'From kill -9 of the leader to the next write',
      key: [...STORES, { ...AIMED, name: 'aim for the median' }],
      columns: 1,
      charts: sharesOf(x, shares, { aims }),
    }
  },
}
