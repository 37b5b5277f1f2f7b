import type { Effort } from './suite.ts'

/** What clients outside of the cluster do, each with one request on its way. */
export interface Traffic {
  /** Puts, linearizable reads, or nine reads to a put. */
  readonly kind: 'put' | 'get' | 'mix'
  readonly clients: number
  /** Of a value. */
  readonly bytes: number
}

/** So many keys are written and read. */
export const KEYS = 1000

/** Made once: the load should take no more of the processor than it must. */
const NAMES = Array.from({ length: KEYS }, (_, i) => `key-${String(i).padStart(5, '0')}`)

export const keyOf = (i: number): string => NAMES[i % KEYS]!

/** Whether a client's request puts, in its turn. */
export const isPut = ({ kind }: Traffic, turn: number): boolean =>
  kind === 'put' || (kind === 'mix' && turn % 10 === 0)

/** What became of it. */
export interface Served {
  /** Answers a second. */
  readonly rate: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** A store with clients in a process of their own. */
export interface Contender {
  readonly name: string
  /** Before any traffic with values of this size. */
  fill(bytes: number): Promise<void>
  serve(traffic: Traffic, seconds: number): Promise<Served>
  stop(): Promise<void>
}

const KINDS = ['put', 'get', 'mix'] as const

/** All of it, those of one size of values together. */
export const traffics = ({
  isQuick,
  clients: counts,
  bytes: sizes,
}: Pick<Effort, 'isQuick' | 'clients' | 'bytes'>): readonly Traffic[] =>
  sizes.flatMap((bytes) =>
    KINDS.filter((kind) => !isQuick || kind !== 'mix').flatMap((kind) =>
      counts.map((clients) => ({ kind, clients, bytes })),
    ),
  )

export const nameOf = ({ kind, clients, bytes }: Traffic): string =>
  `${kind} ${bytes} B, ${clients} clients`
