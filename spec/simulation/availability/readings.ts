import type { Setting } from './trial.ts'

/** What a "broadcast time of roughly 15 ms" may mean (thesis §9.4). */
export interface Reading extends Setting {
  readonly meaning: string
}

/** One way through a card, a switch and a card of gigabit Ethernet, as in the thesis. */
const ethernet = [0.1, 0.3] as const

/** What is used: the thesis's program writes five times, one after the other, until a new leader is heard. */
export const fiveWrites: Reading = {
  meaning: 'five writes, 1.5–4.5 ms each',
  oneWay: ethernet,
  write: [1.5, 4.5],
}

export const others: readonly Reading[] = [
  { meaning: 'five, 0.6–5.4 ms', oneWay: ethernet, write: [0.6, 5.4] },
  { meaning: 'five, exactly 3 ms', oneWay: ethernet, write: [3, 3] },
  { meaning: 'one write, 14–15 ms', oneWay: ethernet, write: [14, 15] },
  { meaning: 'network, 5–10 ms each way', oneWay: [5, 10], write: [0.2, 1] },
]
