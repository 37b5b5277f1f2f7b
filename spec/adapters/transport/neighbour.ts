import { Subject } from 'rxjs'
import { tcp } from '../../../adapters/transport/tcp.ts'
import type { Envelope } from '../../../lib/messages.ts'
import { pulse } from './station.ts'

/**
 * A process of its own that is the server `b`: it answers each pulse of `a` with the same, and says
 * what it hears. `leave` unsubscribes after the first and has nothing more to do. `join` does so, too,
 * and has no peers but those that it learns.
 */
const [peers, then] = process.argv.slice(2) as [string, 'stay' | 'leave' | 'join']
const addresses = JSON.parse(peers) as Record<string, string>

const outbound$ = new Subject<Envelope>()
const named = then === 'join' ? {} : addresses
const options = { id: 'b', cluster: 'spec', listen: addresses['b']!, peers: named }
const subscription = outbound$.pipe(tcp(options)).subscribe({
  next: (said) => {
    if ('source' in said) {
      console.log(said.code)
      return
    }
    if (said.message.type === 'heartbeat') {
      for (const [to, address] of Object.entries(addresses)) {
        outbound$.next({ from: 'b', to, address, message: pulse(said.message.round) })
      }
    }
    if (then !== 'stay') setTimeout(() => subscription.unsubscribe(), 50)
  },
  error: (error: unknown) => console.log(String(error)),
})
