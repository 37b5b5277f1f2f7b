import { randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { Option, type Command } from 'commander'
import { ask, client, jsonIn, print, whole, type Common } from './asking.ts'
import { FAILED, type Io } from './io.ts'
import { leaderAmong, standings, type Standing } from './standings.ts'
import { tail } from './tail.ts'
import { encodeValue, type Encoded } from './values.ts'

type Exit = (status: number) => void

export function addClientCommands(program: Command, io: Io, exit: Exit): void {
  addPut(program, io)
  addGet(program, io)
  addDelete(program, io)
  addList(program, io)
  addWatch(program, io)
  addStatus(program, io, exit)
  addLeader(program, io, exit)
}

const pathOf = (key: string): string => `/kv/${encodeURIComponent(key)}`

const match = (version: number | undefined): Record<string, string> =>
  version === undefined ? {} : { 'if-match': `"${version}"` }

/** Under a name a write is carried out once, however often it has to be sent. */
const named = (): Record<string, string> => ({ 'idempotency-key': randomUUID() })

interface WriteFlags extends Common {
  readonly ifVersion?: number
  readonly ifAbsent?: true
}

interface PutFlags extends WriteFlags {
  readonly ttl?: number
}

interface Written {
  readonly index: number
  readonly term: number
}

function addPut(program: Command, io: Io): void {
  client(program, 'put <key> <value>', 'write a value; - reads it from standard input')
    .addOption(whole('--if-version <n>', 'only over this version').conflicts('ifAbsent'))
    .option('--if-absent', 'only where there is none')
    .addOption(whole('--ttl <seconds>', 'the key goes after so many'))
    .action(async (key: string, text: string, flags: PutFlags) => {
      const body = text === '-' ? await buffer(io.input) : Buffer.from(text)
      const absent = flags.ifAbsent === undefined ? {} : { 'if-none-match': '*' }
      const headers = { ...named(), ...match(flags.ifVersion), ...absent }
      const life = flags.ttl === undefined ? {} : { ttl: String(flags.ttl) }
      const path = withParams(pathOf(key), life)
      const answer = await ask({ method: 'PUT', path, headers, body }, flags)
      print(io, flags, jsonIn<Written>(answer), ({ index }) => `${key} has version ${index}`)
    })
}

function addDelete(program: Command, io: Io): void {
  client(program, 'delete <key>', 'delete a key')
    .addOption(whole('--if-version <n>', 'only this version'))
    .action(async (key: string, flags: WriteFlags) => {
      const headers = { ...named(), ...match(flags.ifVersion) }
      const answer = await ask({ method: 'DELETE', path: pathOf(key), headers }, flags)
      print(io, flags, jsonIn<Written>(answer), ({ index }) => `${key} is deleted at ${index}`)
    })
}

interface ReadFlags extends Common {
  readonly stale?: true
  readonly within?: number
  readonly atLeast?: number
}

const consistency = ({ stale, within, atLeast }: ReadFlags): Record<string, string> => ({
  ...(stale !== undefined && { consistency: 'stale' }),
  ...(within !== undefined && { within: String(within) }),
  ...(atLeast !== undefined && { 'at-least': String(atLeast) }),
})

/** A command that reads, from whatever server is asked. */
const reader = (program: Command, usage: string, description: string): Command =>
  client(program, usage, description)
    .addOption(new Option('--stale', 'what the server has, which may be old'))
    .addOption(whole('--within <ms>', 'what is at most so old').conflicts('stale'))
    .addOption(
      whole('--at-least <index>', 'what has this write in it').conflicts(['stale', 'within']),
    )

const withParams = (path: string, params: Record<string, string>): string => {
  const search = new URLSearchParams(params).toString()
  return search === '' ? path : `${path}?${search}`
}

/** Prints the bytes of the value and nothing else, unless a person reads them. */
function addGet(program: Command, io: Io): void {
  reader(program, 'get <key>', 'read a value').action(async (key: string, flags: ReadFlags) => {
    const path = withParams(pathOf(key), consistency(flags))
    const { body, headers } = await ask({ method: 'GET', path }, flags)
    if (flags.json === undefined) {
      io.out(body)
      if (io.isTerminal) io.out('\n')
    } else {
      const version = Number(headers.etag?.replaceAll('"', ''))
      const ttl = headers['ttl'] === undefined ? {} : { ttl: Number(headers['ttl']) }
      io.out(`${JSON.stringify({ key, version, ...encodeValue(body), ...ttl })}\n`)
    }
  })
}

interface ListFlags extends ReadFlags {
  readonly prefix: string
  readonly after: string
  readonly limit: number
}

interface Listed {
  readonly items: readonly ({ readonly key: string; readonly version: number } & Encoded)[]
  readonly more: boolean
}

function addList(program: Command, io: Io): void {
  reader(program, 'list', 'list keys, their versions and values')
    .option('--prefix <prefix>', 'only keys that begin so', '')
    .option('--after <key>', 'only keys after this one', '')
    .addOption(whole('--limit <n>', 'at most so many, up to 1000').default(100))
    .action(async (flags: ListFlags) => {
      const { prefix, after, limit } = flags
      const params = { prefix, after, limit: String(limit), ...consistency(flags) }
      const answer = await ask({ method: 'GET', path: withParams('/kv', params) }, flags)
      const listed = jsonIn<Listed>(answer)
      print(io, flags, listed, ({ items }) =>
        items.map((item) => `${item.key}\t${item.version}\t${shown(item)}`).join('\n'),
      )
      if (listed.more) io.err(`there is more: list --after '${listed.items.at(-1)?.key}'\n`)
    })
}

const shown = ({ value, encoding }: Encoded): string =>
  encoding === 'utf8' ? value : `base64:${value}`

interface WatchFlags extends Common {
  readonly prefix: string
  readonly from?: number
}

type Changed =
  | ({ readonly type: 'put'; readonly key: string; readonly version: number } & Encoded)
  | { readonly type: 'delete'; readonly key: string; readonly version: number }

function addWatch(program: Command, io: Io): void {
  client(program, 'watch', 'print changes as they happen, until interrupted')
    .option('--prefix <prefix>', 'only keys that begin so', '')
    .addOption(whole('--from <index>', 'changes from this index on; default: from now on'))
    .action(async ({ prefix, from, servers, json }: WatchFlags) => {
      const path = withParams('/watch', {
        prefix,
        ...(from === undefined ? {} : { from: String(from) }),
      })
      for await (const data of tail(path, { servers })) {
        io.out(`${json ? data : told(JSON.parse(data) as Changed)}\n`)
      }
    })
}

const told = (change: Changed): string =>
  change.type === 'put'
    ? `${change.version} put ${change.key} = ${shown(change)}`
    : `${change.version} delete ${change.key}`

function addStatus(program: Command, io: Io, exit: Exit): void {
  client(program, 'status', 'how each server stands').action(async (flags: Common) => {
    const all = await standings(flags.servers)
    print(io, flags, all, () => all.map(line).join('\n'))
    if (all.every(({ status }) => status === undefined)) exit(FAILED)
  })
}

function line({ server, status, error }: Standing): string {
  if (status === undefined) return `${server}  ${error}`
  const { id, term, commitIndex, appliedIndex, lastIndex, members } = status
  const isWitness = members.some((it) => it.id === id && it.role === 'witness')
  const role = isWitness ? 'witness' : status.role
  const indexes = `applied ${appliedIndex}, committed ${commitIndex}, last ${lastIndex}`
  return `${server}  ${id} ${role} in term ${term}: ${indexes}`
}

function addLeader(program: Command, io: Io, exit: Exit): void {
  client(program, 'leader', 'who leads').action(async (flags: Common) => {
    const leader = leaderAmong(await standings(flags.servers))
    if (leader !== undefined) {
      return print(
        io,
        flags,
        leader,
        ({ id, term, http }) => `${id} leads in term ${term}: ${http}`,
      )
    }
    io.err('rxraft: no leader is known\n')
    exit(FAILED)
  })
}
