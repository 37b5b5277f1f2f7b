import { ask } from '../change.ts'
import type { Fault } from './fault.ts'

/** Servers are asked to take a snapshot now, besides those that they take by themselves. Bites: snapshots taken. */
export const snapshot: Fault = async ({ victims }) => {
  const question = { method: 'POST', path: '/snapshot' } as const
  const answers = await Promise.all(victims.map((server) => ask(server, question)))
  return () => answers.filter((status) => status === 200).length
}
