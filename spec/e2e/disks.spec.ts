import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { get, put } from './clients.ts'
import { freePorts } from '../../bench/harness/ports.ts'
import { eventually, Servers, statusOf } from './servers.ts'

describe('a server refuses what it must not trust', { timeout: 60_000 }, () => {
  let servers: Servers

  beforeEach(async () => {
    servers = await Servers.create()
  })
  afterEach(() => servers.close())

  /** Writes a little and kills one follower; returns its id and its data folder. */
  async function killedFollower(): Promise<{ id: string; data: string }> {
    servers.startAll()
    const leader = await servers.leader()
    for (let i = 0; i < 20; i++) expect(await put(leader, `key${i}`, `value ${i}`)).toBeDefined()
    const follower = [...servers.running.values()].find(({ id }) => id !== leader.id)!
    const { commitIndex } = (await statusOf(leader))!
    await eventually('the follower to hear of it', async () =>
      (await statusOf(follower))!.appliedIndex >= commitIndex ? true : undefined,
    )
    await servers.stop(follower.id, 'SIGKILL')
    return follower
  }

  test('a torn last record is cut, and the server catches up again [F14]', async () => {
    const { id, data } = await killedFollower()
    const { path, end } = lastWritten(data)
    truncateSync(path, end - 3)

    const server = servers.start(id)
    const leader = await servers.leader()
    const { commitIndex } = (await statusOf(leader))!
    await eventually('catching up', async () =>
      ((await statusOf(server))?.appliedIndex ?? 0) >= commitIndex ? true : undefined,
    )
    expect(await get(server, 'key19')).toBe('value 19')
    expect(server.output()).toMatch(/cut off at offset \d+/)
    expect(readdirSync(data).some((name) => name.endsWith('.broken'))).toBe(true)
  })

  test('a flipped byte in the middle of the log is refused, with file and offset [F15] [bug 33]', async () => {
    const { id, data } = await killedFollower()
    const { path, end } = lastWritten(data)
    // The log begins after a header of 4 KiB (docs/formats.md).
    flipByte(path, 4096 + Math.floor((end - 4096) / 2))

    const server = servers.start(id)
    expect((await server.exited).code).toBe(1)
    expect(server.output()).toContain(path)
    expect(server.output()).toMatch(/offset \d+/)
  })

  test('a second process on one directory is refused [F10]', async () => {
    servers.startAll()
    const leader = await servers.leader()
    const second = servers.start(leader.id, { data: leader.data, ports: await freePorts(2) })
    servers.running.set(leader.id, leader)
    expect((await second.exited).code).toBe(1)
    expect(second.output()).toContain(leader.data)
    expect(await put(leader, 'still', 'there')).toBeDefined()
  })
})

/** The newest segment, and where the last record in it ends. */
function lastWritten(data: string): { path: string; end: number } {
  const written = readdirSync(data)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(data, name))
    .map((path) => ({ path, end: lastNonZero(readFileSync(path)) + 1 }))
  return written.at(-1)!
}

function lastNonZero(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0)
}

function flipByte(path: string, offset: number): void {
  const file = openSync(path, 'r+')
  const byte = new Uint8Array(1)
  readSync(file, byte, 0, 1, offset)
  writeSync(file, new Uint8Array([byte[0]! ^ 0xff]), 0, 1, offset)
  closeSync(file)
}
