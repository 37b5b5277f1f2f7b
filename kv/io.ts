/** Where a command reads and writes. */
export interface Io {
  readonly out: (text: string | Uint8Array) => void
  readonly err: (text: string) => void
  /** Whether a person reads `out`. */
  readonly isTerminal: boolean
  readonly input: AsyncIterable<Uint8Array>
}

/** How a command ended. */
export const OK = 0
export const FAILED = 1
export const MISUSED = 2
/** The cluster goes on without this server: to start it again is of no use. */
export const REMOVED = 3

/** The process's own streams. */
export const processIo: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY,
  input: process.stdin,
}
