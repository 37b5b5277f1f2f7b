import { msgpack } from 'rxraft'
import type { Command } from './machine.ts'

/** Values stay, in the store and for those who watch: views on the log's memory would keep all of that. */
export const codec = msgpack<Command>({ copies: true })
