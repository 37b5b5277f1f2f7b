/** What holds of clients over TCP holds over WebSockets. */
import { useWire } from './bench.ts'
import './client.spec.ts'
import './client.bounds.spec.ts'
import './client.failover.spec.ts'
import './client.hostile.spec.ts'
import './client.watch.spec.ts'

useWire('ws')
