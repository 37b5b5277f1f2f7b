/** One end of the exchange. */
type Role = 'client' | 'server'

/** What each end proves, in turn: that it has the secret, in answer to what the other end has drawn for this connection. */
export interface Proof {
  readonly give: (role: Role, hello: Uint8Array, challenge: Uint8Array) => Promise<Uint8Array>
  readonly check: (
    proof: Uint8Array,
    role: Role,
    hello: Uint8Array,
    challenge: Uint8Array,
  ) => Promise<boolean>
}

export const CHALLENGE_BYTES = 32

/** A number that the server draws for one connection; the client's is in its hello. */
export const drawChallenge = (): Uint8Array =>
  crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES))

/** HMAC-SHA256 under the secret, which is never said: over who proves, the whole hello and the challenge. */
export function proofBy(secret: Uint8Array<ArrayBuffer>): Proof {
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  let key: ReturnType<typeof crypto.subtle.importKey> | undefined
  const keyed = () =>
    (key ??= crypto.subtle.importKey('raw', secret, hmac, false, ['sign', 'verify']))
  return {
    give: async (...what) =>
      new Uint8Array(await crypto.subtle.sign('HMAC', await keyed(), said(...what))),
    check: async (proof, ...what) =>
      crypto.subtle.verify('HMAC', await keyed(), Uint8Array.from(proof), said(...what)),
  }
}

function said(role: Role, hello: Uint8Array, challenge: Uint8Array): Uint8Array<ArrayBuffer> {
  const label = new TextEncoder().encode(`rxraft/1 ${role}`)
  return Uint8Array.from([...label, ...challenge, ...hello])
}

/** As it stands in a hello. */
export const inHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
