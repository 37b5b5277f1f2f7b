import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { put } from './clients.ts'
import { eventually, Servers, statusOf } from './servers.ts'

describe('servers with a shared secret', { timeout: 60_000 }, () => {
  let servers: Servers

  beforeEach(async () => {
    servers = await Servers.create()
  })
  afterEach(() => servers.close())

  function secret(name: string, text: string): readonly string[] {
    const path = join(servers.data, name)
    writeFileSync(path, text)
    return ['--secret-file', path]
  }

  test('work together, and one with another secret stays outside [F62]', async () => {
    const right = secret('right', 'a secret of more than thirty-two characters\n')
    const wrong = secret('wrong', 'another secret of more than thirty-two chars\n')
    servers.start('a', { args: right })
    servers.start('b', { args: right })
    const leader = await servers.leader()
    const stranger = servers.start('c', { args: wrong })

    await eventually('a refusal to be reported', () =>
      /refused|secret/i.test(stranger.output()) ? true : undefined,
    )
    const { term } = (await statusOf(leader))!
    expect(await put(leader, 'x', '1')).toBeDefined()
    expect((await statusOf(stranger))!.commitIndex).toBe(0)
    expect((await statusOf(leader))!.term).toBe(term)

    await servers.stop('c', 'SIGTERM')
    const member = servers.start('c', { args: right })
    await eventually('the third to catch up', async () =>
      ((await statusOf(member))?.commitIndex ?? 0) > 0 ? true : undefined,
    )
  })
})
