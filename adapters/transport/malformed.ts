/** Bytes that are not a message of the protocol. */
export interface Malformed {
  readonly type: 'malformed'
  readonly reason: string
}

export const malformed = (reason: string): Malformed => ({ type: 'malformed', reason })
