import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { run } from '../../kv/program.ts'
import { cluster } from './cluster.ts'
import { aNumber, containing, eventually, listen, type Running, start, stopAll } from './support.ts'

afterEach(stopAll)

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

interface Around {
  readonly input?: string
  readonly isTerminal?: boolean
}

/** Runs a command line in this process. */
async function rxraft(args: readonly string[], around: Around = {}): Promise<Outcome> {
  const { input = '', isTerminal = false } = around
  let out = ''
  let err = ''
  const io = {
    out: (text: string | Uint8Array) => void (out += Buffer.from(text as string).toString()),
    err: (text: string) => void (err += text),
    isTerminal,
    input: (async function* () {
      yield await Promise.resolve(Buffer.from(input))
    })(),
  }
  const code = await run(args, io, 'cli.js')
  return { code, out, err }
}

async function started(): Promise<{ running: Running; cli: typeof rxraft }> {
  const running = await start()
  await eventually(async () => (await running.ask('/readyz')).status === 200 || undefined)
  const cli = (args: readonly string[], around?: Around) =>
    rxraft([...args, '--servers', running.url], around)
  return { running, cli }
}

const member = (id: string, n: number) =>
  `--member=${id}=127.0.0.1:${7000 + n},http://127.0.0.1:${8000 + n}`

const members = [member('a', 1), member('b', 2), member('c', 3)]

const directory = mkdtempSync(join(tmpdir(), 'rxraft-cli-'))
const secret = join(directory, 'secret')
writeFileSync(secret, 'it is long enough to be a secret, surely\n')

const serve = [
  'serve',
  '--id=a',
  `--data=${join(directory, 'a')}`,
  '--listen=127.0.0.1:7001',
  '--http=127.0.0.1:8001',
]

describe('what is wrong with a command line is named, and the exit code is 2', () => {
  it.each([
    [['--nonsense'], '--nonsense'],
    [['nonsense'], 'nonsense'],
    [['put', 'x'], 'value'],
    [['get'], 'key'],
    [['get', 'x', 'y'], 'arguments'],
    [['get', 'x', '--nonsense'], '--nonsense'],
    [['get', 'x', '--servers', 'nowhere'], '--servers'],
    [['put', 'x', 'y', '--if-version', 'one'], '--if-version'],
    [['put', 'x', 'y', '--if-version=1', '--if-absent'], '--if-absent'],
    [['put', 'x', 'y', '--ttl=0'], '--ttl'],
    [['list', '--limit=0'], '--limit'],
    [['watch', '--from=x'], '--from'],
    [['demo', '--nonsense'], '--nonsense'],
    [['serve'], '--id'],
    [[...serve, ...members, '--nonsense'], '--nonsense'],
    [[...serve, ...members, '--join=127.0.0.1:8001'], '--join'],
    [[...serve, '--join=nowhere'], '--join'],
    [[...serve, '--learner'], '--join'],
    [[...serve, '--witness'], '--join'],
    [[...serve, '--join=127.0.0.1:8001', '--learner', '--witness'], '--witness'],
    [[...serve, ...members.map((member) => `${member},witness`)], '--member'],
    [['members', 'add', 'd', '127.0.0.1:1,http://127.0.0.1:2', '--learner', '--witness'], '--wit'],
    [[...serve, '--join=127.0.0.1:8001', '--advertise=127.0.0.1:7001'], '--advertise'],
    [['members', 'nonsense'], 'nonsense'],
    [['members', 'add', 'd'], 'address'],
    [['members', 'add', 'd', '127.0.0.1:7004'], 'address'],
    [['members', 'remove'], 'id'],
    [['members', 'priority', 'a', '101'], 'number'],
    [['members', 'priority', 'a', 'high'], 'number'],
    [[...serve, ...members, '--priority=a'], '--priority'],
    [[...serve, ...members, '--priority=a=101'], '--priority'],
    [[...serve, ...members, '--priority=z=1'], '--priority'],
    [[...serve, '--join=127.0.0.1:8001', '--priority=a=1'], '--priority'],
    [[...serve, ...members, '--disk-stall=1'], '--disk-stall'],
    [[...serve, ...members, '--tuned=99'], '--tuned'],
    [['transfer', 'a', 'b'], 'arguments'],
    [serve, '--member'],
    [[...serve, members[1]!], '--id'],
    [[...serve, ...members, members[1]!], '--member'],
    [[...serve, '--member=a=127.0.0.1:7001'], '--member'],
    [[...serve, '--member=a=127.0.0.1:7001,https://127.0.0.1:8001'], '--member'],
    [[...serve, ...members, '--listen=127.0.0.1'], '--listen'],
    [[...serve, ...members, '--listen=127.0.0.1:0'], '--listen'],
    [[...serve, ...members, '--http=127.0.0.1:65536'], '--http'],
    [[...serve, ...members, '--heartbeat=often'], '--heartbeat'],
    [[...serve, ...members, '--heartbeat=90'], '--election-timeout'],
    [[...serve, ...members, '--election-timeout=150'], '--election-timeout'],
    [[...serve, ...members, '--election-timeout=300-150'], '--election-timeout'],
    [[...serve, ...members, '--max-value=99999999999'], '--max-value'],
    [[...serve, ...members, '--secret-file=/nowhere/secret'], '--secret-file'],
    [[...serve, ...members, `--secret-file=${secret}`, '--tls-ca=x'], '--secret-file'],
    [[...serve, ...members, `--tls-ca=${secret}`], '--tls-cert'],
    [[...serve, ...members, `--tls-ca=${secret}`, `--tls-cert=${secret}`], '--tls-key'],
    [[...serve, ...members, `--tls-cert=${secret}`, `--tls-key=${secret}`], '--tls-ca'],
    [[...serve, ...members, '--listen=0.0.0.0:7001'], '--'],
  ])('%j', async (args, named) => {
    const { code, out, err } = await rxraft(args)
    expect(err).toContain(named)
    expect(err).toMatch(/^error: /)
    expect(out).toBe('')
    expect(code).toBe(2)
  })

  it('and nothing is written', () => {
    expect(readdirSync(directory)).toEqual(['secret'])
  })

  it('help is no error', async () => {
    const { code, out } = await rxraft(['--help'])
    expect(code).toBe(0)
    for (const command of [
      ...['serve', 'put', 'get', 'delete', 'list', 'watch', 'status', 'leader'],
      ...['members', 'transfer', 'snapshot'],
    ])
      expect(out).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect((await rxraft(['serve', '--help'])).out).toContain('--election-timeout')
  })
})

describe('put, get and delete', () => {
  it('write, read and remove a value', async () => {
    const { cli } = await started()
    const put = await cli(['put', 'a/b ✓', 'hello'])
    expect(put).toMatchObject({ code: 0, out: containing('a/b ✓ has version ') })
    expect(await cli(['get', 'a/b ✓'])).toEqual({ code: 0, out: 'hello', err: '' })
    expect((await cli(['get', 'a/b ✓', '--stale'])).out).toBe('hello')
    expect((await cli(['get', 'a/b ✓', '--within', '1000'])).out).toBe('hello')
    expect((await cli(['get', 'a/b ✓', '--at-least', '2'])).out).toBe('hello')
    const two = await cli(['get', 'a/b ✓', '--at-least', '2', '--stale'])
    expect(two).toMatchObject({ code: 2, err: containing('cannot be used with') })
    expect((await cli(['get', 'a/b ✓'], { isTerminal: true })).out).toBe('hello\n')
    expect(await cli(['delete', 'a/b ✓'])).toMatchObject({ code: 0 })
    const absent = { code: 1, out: '', err: 'rxraft: the key does not exist\n' }
    expect(await cli(['get', 'a/b ✓'])).toEqual(absent)
    expect(await cli(['delete', 'a/b ✓'])).toEqual(absent)
  })

  it('address every key, also one that looks like a path [F48]', async () => {
    const { cli } = await started()
    for (const key of ['..', '.', 'a/../b', '__proto__', '?x=1', '%2e', '#', '+']) {
      expect((await cli(['put', key, key])).code).toBe(0)
      expect((await cli(['get', key])).out).toBe(key)
    }
  })

  it('print JSON', async () => {
    const { cli } = await started()
    const { index } = JSON.parse((await cli(['put', 'x', '1', '--json'])).out) as { index: number }
    expect(JSON.parse((await cli(['get', 'x', '--json'])).out)).toEqual({
      key: 'x',
      version: index,
      value: '1',
      encoding: 'utf8',
    })
    expect(JSON.parse((await cli(['delete', 'x', '--json'])).out)).toEqual({
      index: index + 1,
      term: 1,
    })
  })

  it('are sent again when no answer comes, and carried out once', async () => {
    const { running } = await started()
    const broken = createServer((request) => {
      request.resume().on('end', () => {
        // What the server has carried out, and the client never hears of.
        const { method = '', headers, url = '' } = request
        const name = String(headers['idempotency-key'])
        void running
          .ask(url, { method, headers: { 'idempotency-key': name } })
          .then(() => request.socket.destroy())
      })
    })
    const servers = `--servers=${await listen(broken)},${running.url}`
    expect(await rxraft(['put', 'x', '', '--json', servers])).toMatchObject({ code: 0 })
    expect(await rxraft(['delete', 'x', servers])).toMatchObject({ code: 0 })
    const { items } = (await running.ask('/kv')).json
    expect(items).toEqual([])
    expect([0, 1, 2].map((i) => running.history.at(i)?.type)).toEqual(['put', 'delete', undefined])
    broken.close()
  })

  it('give a key a time to live', async () => {
    const { cli } = await started()
    expect((await cli(['put', 'x', '1', '--ttl=60'])).code).toBe(0)
    const { ttl } = JSON.parse((await cli(['get', 'x', '--json'])).out) as { ttl: number }
    expect(ttl).toBeGreaterThan(50)
    const listed = JSON.parse((await cli(['list', '--json'])).out) as { items: { ttl: number }[] }
    expect(listed.items[0]!.ttl).toBeGreaterThan(50)
  })

  it('read a value from standard input', async () => {
    const { cli } = await started()
    await cli(['put', 'x', '-'], { input: 'from\nafar' })
    expect((await cli(['get', 'x'])).out).toBe('from\nafar')
  })

  it('take conditions', async () => {
    const { cli } = await started()
    const written = await cli(['put', 'x', '1', '--if-absent', '--json'])
    const { index } = JSON.parse(written.out) as { index: number }
    expect(await cli(['put', 'x', '2', '--if-absent'])).toEqual({
      code: 1,
      out: '',
      err: `rxraft: the key's version is ${index}\n`,
    })
    expect((await cli(['put', 'x', '2', `--if-version=${index}`])).code).toBe(0)
    expect((await cli(['delete', 'x', `--if-version=${index}`])).code).toBe(1)
    expect((await cli(['delete', 'x', `--if-version=${index + 2}`])).code).toBe(0)
  })
})

describe('list', () => {
  it('prints keys, versions and values', async () => {
    const { cli, running } = await started()
    const index = (await running.put('a%2F1', 'one')).json.index as number
    await running.ask('/kv/a%2F2', { method: 'PUT', body: new Uint8Array([0xff]) })
    await running.put('b', 'two')
    expect(await cli(['list', '--prefix=a/'])).toEqual({
      code: 0,
      out: `a/1\t${index}\tone\na/2\t${index + 1}\tbase64:/w==\n`,
      err: '',
    })
    expect(await cli(['list', '--limit=1', '--after=a/1'])).toMatchObject({
      out: `a/2\t${index + 1}\tbase64:/w==\n`,
      err: "there is more: list --after 'a/2'\n",
    })
    expect(await cli(['list', '--prefix=c'])).toEqual({ code: 0, out: '', err: '' })
    const json = JSON.parse((await cli(['list', '--json', '--prefix=b'])).out) as object
    expect(json).toMatchObject({ items: [{ key: 'b', value: 'two' }], more: false })
  })
})

describe('members', () => {
  it('are added, promoted, removed and listed', async () => {
    const it = await cluster('ab', 'c')
    await it.leader()
    const servers = `--servers=${it.server('a').url},${it.server('b').url}`
    const cli = (...args: string[]) => rxraft(['members', ...args, servers])
    const place = it.places['c']!.replace(' ', ',')
    expect(await cli('add', 'c', place, '--learner')).toMatchObject({
      code: 0,
      out: containing('c is in since index '),
    })
    const [peer, http] = it.places['c']!.split(' ')
    const { out } = await cli('list')
    expect(out.split('\n')).toContain(`c  learner  ${peer}  ${http}`)
    expect(out).toMatch(/^[ab] {2}leader /m)
    expect((await cli('promote', 'c')).out).toMatch(/^c votes since index \d+\n$/)
    expect((await cli('remove', 'c')).out).toMatch(/^c is out since index \d+\n$/)
    expect(await cli('remove', 'c')).toEqual({
      code: 1,
      out: '',
      err: 'rxraft: c is not a member\n',
    })
    const json = JSON.parse((await cli('list', '--json')).out) as object
    expect(json).toMatchObject({ index: aNumber, members: [{ id: 'a' }, { id: 'b' }] })
  })

  it('are witnesses, when that is wanted, and say so', async () => {
    const it = await cluster('ab', 'c')
    await it.leader()
    const servers = `--servers=${'abc'.split('').map((id) => it.server(id).url)}`
    const place = it.places['c']!.replace(' ', ',')
    const added = await rxraft(['members', 'add', 'c', place, '--witness', servers])
    expect(added).toMatchObject({ code: 0, out: containing('c is in since index ') })
    expect((await rxraft(['members', 'list', servers])).out).toMatch(/^c {2}witness {2}/m)
    expect((await rxraft(['status', servers])).out).toMatch(/ c witness in term \d+: /)
    expect(await rxraft(['members', 'promote', 'c', servers])).toMatchObject({
      ...{ code: 1, err: containing('until it is removed') },
    })
  })

  it('have priorities, which are listed', async () => {
    const it = await cluster('ab')
    await it.leader()
    const servers = `--servers=${it.server('a').url},${it.server('b').url}`
    const cli = (...args: string[]) => rxraft(['members', ...args, servers])
    expect((await cli('priority', 'b', '7')).out).toMatch(/^b has priority 7 since index \d+\n$/)
    expect((await cli('list')).out).toMatch(/^b .* {2}priority 7$/m)
    await cli('priority', 'b', '0')
    expect((await cli('list')).out).not.toContain('priority')
    expect((await cli('priority', 'z', '1')).err).toBe('rxraft: z is not a member\n')
  })

  it('tell how far a change has come, and why it failed', async () => {
    const { running, cli } = await started()
    for (let i = 0; i < 20; i++) await running.put(`${i}`, 'x')
    const { code, out, err } = await cli([
      ...['members', 'add', 'z', '127.0.0.1:1,http://127.0.0.1:2'],
    ])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^catching up: \d+ entries left\n/)
    expect(err).toContain('rxraft: the members did not change: a new server does not catch up')
  })

  it('leave also when they lead', async () => {
    const it = await cluster('abc')
    const { id } = (await it.leader()).node
    const servers = `--servers=${['a', 'b', 'c'].map((name) => it.server(name).url).join()}`
    expect((await rxraft(['members', 'remove', id, servers])).out).toContain(`${id} is out`)
  })
})

describe('transfer and snapshot', () => {
  it('have another server lead', async () => {
    const it = await cluster('abc')
    const { id } = (await it.follower()).node
    const servers = `--servers=${it.server('a').url}`
    expect(await rxraft(['transfer', id, servers])).toMatchObject({ out: `${id} leads\n` })
    expect((await rxraft(['transfer', 'z', servers])).err).toContain(
      'rxraft: the leadership was not',
    )
  })

  it('have servers take their snapshots', async () => {
    const { running } = await started()
    const { index } = (await running.put('x', 'x')).json
    expect((await rxraft(['snapshot', '--servers', running.url])).out).toBe(
      `${running.url}  through ${Number(index)}\n`,
    )
    const { code, out } = await rxraft(['snapshot', '--servers', `${running.url},127.0.0.1:1`])
    expect(code).toBe(1)
    expect(out).toContain('http://127.0.0.1:1  http://127.0.0.1:1 cannot be reached')
  })
})

describe('status and leader', () => {
  it('tell how the servers stand, and who leads', async () => {
    const { running } = await started()
    const servers = `--servers=http://127.0.0.1:1,${running.url}`
    const { code, out } = await rxraft(['status', servers])
    expect(code).toBe(0)
    expect(out).toContain('http://127.0.0.1:1  http://127.0.0.1:1 cannot be reached')
    expect(out).toContain(`${running.url}  a leader in term 1: applied `)
    expect((await rxraft(['leader', servers])).out).toContain('a leads in term 1')
    expect(JSON.parse((await rxraft(['leader', servers, '--json'])).out)).toMatchObject({
      id: 'a',
      term: 1,
    })
  })

  it('fail where there is none', async () => {
    expect((await rxraft(['status', '--servers=127.0.0.1:1'])).code).toBe(1)
    expect(await rxraft(['leader', '--servers=127.0.0.1:1'])).toEqual({
      code: 1,
      out: '',
      err: 'rxraft: no leader is known\n',
    })
  })
})
