import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Served, Traffic } from '../traffic.ts'

const run = promisify(execFile)

const SOURCE = fileURLToPath(new URL('load.go', import.meta.url))
/** Where Debian keeps the sources of Go packages. */
const GOPATH = '/usr/share/gocode'
const LIBRARY = join(GOPATH, 'src/go.etcd.io/etcd/clientv3')

/** Why etcd's client cannot be built here; `undefined` where it can. */
export function clientIsMissing(): string | undefined {
  if (spawnSync('go', ['version']).status === 0 && existsSync(LIBRARY)) return undefined
  return "etcd's client cannot be built (Debian: golang-go, golang-etcd-server-dev): etcd is left out"
}

/** The program that drives etcd, built into a directory. */
export async function build(directory: string): Promise<string> {
  const program = join(directory, 'etcd-load')
  const env = { ...process.env, GO111MODULE: 'off', GOPATH, GOFLAGS: '' }
  await run('go', ['build', '-o', program, SOURCE], { env })
  return program
}

/** Puts the load on etcd for so many seconds, from a process of its own. */
export async function drive(
  program: string,
  addresses: readonly string[],
  { kind, clients, bytes }: Traffic,
  seconds: number,
): Promise<Served> {
  const args = [
    ...[`-endpoints=${addresses.join()}`, `-kind=${kind}`, `-clients=${clients}`],
    ...[`-bytes=${bytes}`, `-duration=${seconds}s`],
  ]
  const { stdout } = await run(program, args)
  return JSON.parse(stdout) as Served
}

/** Puts a value under each of the keys, so that every read finds one. */
export async function fill(
  program: string,
  addresses: readonly string[],
  bytes: number,
): Promise<void> {
  const args = [`-endpoints=${addresses.join()}`, '-kind=fill', '-clients=64', `-bytes=${bytes}`]
  await run(program, args)
}
