import { connect, createServer } from 'node:net'
import type { Security } from './security.ts'

/** No proof and no secrecy: whoever reaches the port may say that it is any server. */
export const plaintext: Security = {
  createServer: () => createServer({ noDelay: true }),
  hint: 'the other end expects TLS',
  arrival: 'connection',
  connect: ({ host, port }) => connect({ host, port }),
  ready: 'connect',
  provenId: () => undefined,
}
