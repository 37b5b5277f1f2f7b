import type { Statistics } from './statistics.ts'
import type { Range } from './trial.ts'

/** The thesis's figures for real servers in a LAN (§9.4), a line for each range of timeouts. */
export const thesis: readonly (readonly [timeouts: Range, Statistics])[] = [
  [[150, 155], { median: 287, p99: 1224, max: 2143 }],
  [[150, 175], { median: 141, p99: 462, max: 610 }],
  [[150, 200], { median: 146, p99: 345, max: 512 }],
  [[150, 300], { median: 171, p99: 405, max: 603 }],
]
