import type { Call } from './calling.ts'

/** A replicated store of several processes on this machine, with an HTTP interface. */
export interface Store {
  readonly name: string
  /** Where clients reach each server: `HOST:PORT`. */
  readonly addresses: readonly string[]
  /** The call that puts a value. It succeeds with 200, on the leader at least. */
  put(key: string, value: string): Call
  /** Which server leads, once all of them are up. Rejects when that takes too long. */
  leader(): Promise<number>
  kill(server: number): Promise<void>
  restart(server: number): void
  /** Ends all processes, and leaves nothing behind. */
  stop(): Promise<void>
}
