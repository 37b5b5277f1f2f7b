import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, clientIsMissing, drive, fill } from './etcd/program.ts'
import { etcd as servers, etcdIsMissing } from './stores/etcd.ts'
import type { Contender } from './traffic.ts'

/** Why etcd is left out; `undefined` where it can be measured. */
export const etcdIsAbsent = (): string | undefined => etcdIsMissing() ?? clientIsMissing()

/** Three servers of etcd on loopback, driven by a small program in Go. */
export async function etcd(directory: string): Promise<Contender> {
  const home = mkdtempSync(join(directory, 'etcd-load-'))
  const clear = (): void => rmSync(home, { recursive: true, force: true })
  try {
    const program = await build(home)
    const store = await servers(directory)
    const { addresses } = store
    await store.leader()
    return {
      name: 'etcd',
      fill: (bytes) => fill(program, addresses, bytes),
      serve: (traffic, seconds) => drive(program, addresses, traffic, seconds),
      stop: async () => {
        await store.stop()
        clear()
      },
    }
  } catch (error) {
    clear()
    throw error
  }
}
