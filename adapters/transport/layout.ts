import type { Kind } from '../../lib/batch.ts'
import type { Message } from '../../lib/messages.ts'

/** How a field lies in a message: an integer takes 8 bytes, a flag one. */
export type FieldKind = 'integer' | 'flag'

type Fields<M> = {
  readonly [
    F in Exclude<keyof M, 'type' | 'batches' | 'members' | 'bytes' | 'value'>
  ]: M[F] extends boolean ? 'flag' : 'integer'
}

type Layouts = {
  readonly [T in Message['type']]: readonly [
    code: number,
    fields: Fields<Extract<Message, { type: T }>>,
  ]
}

/** Every message's code and its fields, in the order in which they lie on the wire. */
const layouts: Layouts = {
  requestVote: [
    1,
    { term: 'integer', pre: 'flag', handedOver: 'flag', lastIndex: 'integer', lastTerm: 'integer' },
  ],
  vote: [2, { term: 'integer', pre: 'flag', granted: 'flag' }],
  append: [3, { term: 'integer', prevIndex: 'integer', prevTerm: 'integer', commit: 'integer' }],
  appended: [4, { term: 'integer', match: 'integer' }],
  rejected: [
    5,
    { term: 'integer', prevIndex: 'integer', hintIndex: 'integer', hintTerm: 'integer' },
  ],
  heartbeat: [6, { term: 'integer', commit: 'integer', commitTerm: 'integer', round: 'integer' }],
  heartbeatReply: [7, { term: 'integer', round: 'integer' }],
  readIndex: [8, { term: 'integer', ticket: 'integer' }],
  readIndexReply: [9, { term: 'integer', ticket: 'integer', index: 'integer' }],
  install: [
    10,
    {
      ...{ term: 'integer', index: 'integer', indexTerm: 'integer', offset: 'integer' },
      ...{ isLast: 'flag', checksum: 'integer' },
    },
  ],
  installed: [11, { term: 'integer', index: 'integer', end: 'integer' }],
  timeoutNow: [12, { term: 'integer' }],
  fingerprint: [13, { term: 'integer', index: 'integer' }],
  forward: [
    14,
    {
      ...{ term: 'integer', channel: 'integer', sequence: 'integer', lowest: 'integer' },
      ...{ isRequest: 'flag', count: 'integer' },
    },
  ],
  forwarded: [15, { term: 'integer', channel: 'integer', sequence: 'integer', index: 'integer' }],
  declined: [
    16,
    {
      ...{ term: 'integer', channel: 'integer', sequence: 'integer' },
      ...{ isShortOfSpace: 'flag', isLeaving: 'flag' },
    },
  ],
  roundTrip: [17, { term: 'integer', ms: 'integer' }],
}

/** The layout of one message, ready for a loop. */
export interface Plan {
  readonly type: Message['type']
  readonly code: number
  readonly fields: readonly (readonly [name: string, kind: FieldKind])[]
  /** Bytes of the code and the fields. */
  readonly size: number
}

export const planOf: ReadonlyMap<string, Plan> = new Map(
  Object.entries(layouts).map(([type, [code, named]]) => {
    const fields = Object.entries(named) as [string, FieldKind][]
    const size = fields.reduce((sum, [, kind]) => sum + (kind === 'integer' ? 8 : 1), 1)
    return [type, { type: type as Message['type'], code, fields, size }]
  }),
)

export const planOfCode: ReadonlyMap<number, Plan> = new Map(
  [...planOf.values()].map((plan) => [plan.code, plan]),
)

export const kindCodes: Readonly<Record<Kind, number>> = {
  ...{ command: 0, noop: 1, members: 2, request: 3, withheld: 4 },
}

export const kindOfCode: ReadonlyMap<number, Kind> = new Map(
  Object.entries(kindCodes).map(([kind, code]) => [code, kind as Kind]),
)
