import type { Machine } from 'rxraft'

/** Adds up one byte of each command. */
export const sum: Machine<number, Uint8Array, number> = {
  initial: 0,
  apply: (sum, command) => {
    const next = (sum + command[4]!) >>> 0
    return [next, next]
  },
}
