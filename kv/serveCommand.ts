import { readFileSync } from 'node:fs'
import { Option, type Command } from 'commander'
import { fromEvent, lastValueFrom, merge, tap } from 'rxjs'
import {
  formatAddress,
  parseAddress,
  parseMember,
  parsePlace,
  parseServer,
  type Address,
  type Member,
  type Place,
} from './addresses.ts'
import { collects, parseOrigin, parseRange, parseRanked, parseWhole, reads } from './arguments.ts'
import type { Io } from './io.ts'
import { serve, type ServeOptions } from './serve.ts'

/** What the command line gives, read but not yet held against each other. */
interface Flags {
  readonly id: string
  readonly data: string
  readonly listen: Address
  readonly http: Address
  readonly clients?: Address
  readonly clientsSecretFile?: string
  readonly clientsOrigin?: readonly string[]
  readonly member?: readonly Member[]
  readonly priority?: readonly (readonly [id: string, priority: number])[]
  readonly existing?: true
  readonly join?: string
  readonly learner?: true
  readonly witness?: true
  readonly advertise?: Place
  readonly cluster: string
  readonly secretFile?: string
  readonly tlsCa?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly electionTimeout?: readonly [number, number]
  readonly heartbeat?: number
  readonly tuned?: number
  readonly diskStall?: number
  readonly maxValue: number
  readonly snapshotEntries?: number
  readonly snapshotTail?: number
  readonly segment?: number
  readonly forward?: true
}

export function addServeCommand(program: Command, io: Io): void {
  const command = program.command('serve').description('run one server of a cluster')
  for (const option of options()) command.addOption(option)
  command.action(async (flags: Flags) => {
    const settings = settingsOf(flags, (message) => command.error(`error: ${message}`))
    const log = (line: string): void =>
      io.err(`${new Date().toISOString()} ${settings.id}: ${line}\n`)
    const serving$ = serve({ ...settings, stop$: stop() })
    await lastValueFrom(serving$.pipe(tap(log)), { defaultValue: '' })
    log('stopped')
  })
}

const TLS = ['tlsCa', 'tlsCert', 'tlsKey']

function options(): Option[] {
  return [
    new Option('--id <id>', "this server's name").makeOptionMandatory(),
    new Option('--data <directory>', 'where its log is kept').makeOptionMandatory(),
    new Option('--listen <host:port>', 'where it listens to its peers')
      .argParser(reads(parseAddress))
      .makeOptionMandatory(),
    new Option('--http <host:port>', 'where it listens to clients')
      .argParser(reads(parseAddress))
      .makeOptionMandatory(),
    ...clientOptions(),
    new Option(
      '--member <member>',
      'ID=HOST:PORT,http://HOST:PORT, once for each server that founds the cluster; ,tcp://HOST:PORT says where its --clients are, and with ,witness at its end it keeps no data',
    ).argParser(collects(parseMember)),
    new Option(
      '--priority <id=number>',
      'a founder that is to lead rather than those of a lower one (0), the same on each of them',
    ).argParser(collects(parseRanked)),
    new Option(
      '--existing',
      'the cluster is there, and this server was in it: an empty directory is refused',
    ),
    ...joinOptions(),
    new Option('--cluster <name>', 'servers talk only to those of the same cluster').default(
      'rxraft',
    ),
    ...securityOptions(),
    ...tuningOptions(),
  ]
}

function clientOptions(): Option[] {
  return [
    new Option('--clients <host:port>', 'where it listens to clients of rxraft/kv').argParser(
      reads(parseAddress),
    ),
    new Option('--clients-secret-file <file>', 'a secret that it shares with these clients'),
    new Option(
      '--clients-origin <origin>',
      'pages of rxraft/kv that may connect, such as https://shop.example; once for each origin',
    ).argParser(collects(parseOrigin)),
  ]
}

function tuningOptions(): Option[] {
  return [
    new Option('--forward', 'pass writes on to the leader instead of redirecting to it'),
    new Option('--election-timeout <min-max>', 'silence in ms before an election').argParser(
      reads(parseRange),
    ),
    new Option('--heartbeat <ms>', "between two of a leader's pulses").argParser(reads(parseWhole)),
    new Option(
      '--tuned <ms>',
      'the election timeout follows from round trips, no shorter than that',
    ).argParser(reads(parseWhole)),
    new Option('--disk-stall <ms>', 'a leader whose disk is silent for so long leaves').argParser(
      reads(parseWhole),
    ),
    new Option('--max-value <bytes>', 'largest value')
      .argParser(reads(parseWhole))
      .default(1024 * 1024),
    ...logOptions(),
  ]
}

/** How much of the log is kept, and how it lies on the disk. */
function logOptions(): Option[] {
  return [
    new Option('--snapshot-entries <n>', 'entries between two snapshots').argParser(
      reads(parseWhole),
    ),
    new Option('--segment <bytes>', "of each of the log's files").argParser(reads(parseWhole)),
    new Option('--snapshot-tail <bytes>', 'bytes of the log that stay before a snapshot').argParser(
      reads(parseWhole),
    ),
  ]
}

function securityOptions(): Option[] {
  return [
    new Option('--secret-file <file>', 'a secret that all servers share').conflicts(TLS),
    new Option('--tls-ca <file>', 'who vouches for the servers, as PEM'),
    new Option('--tls-cert <file>', "this server's certificate, as PEM"),
    new Option('--tls-key <file>', "the certificate's key, as PEM"),
  ]
}

function joinOptions(): Option[] {
  return [
    new Option('--join <url>', 'a server of a cluster that is to take this one in')
      .argParser(reads(parseServer))
      .conflicts(['member', 'existing']),
    new Option('--learner', 'with --join: without a vote').conflicts('member'),
    new Option('--witness', 'with --join: with a vote, and without any data').conflicts([
      ...['member', 'learner'],
    ]),
    new Option(
      '--advertise <place>',
      'with --join: HOST:PORT,http://HOST:PORT where others find this server; default: where it listens',
    )
      .argParser(reads(parsePlace))
      .conflicts('member'),
  ]
}

type Fail = (message: string) => never

function settingsOf(flags: Flags, fail: Fail): ServeOptions {
  const { id, data, cluster, listen, http, electionTimeout, heartbeat, maxValue } = flags
  const { tuned, diskStall, snapshotEntries, snapshotTail, segment, forward } = flags
  return {
    id,
    cluster,
    data,
    listen: formatAddress(listen),
    http,
    maxValueBytes: maxValue,
    ...welcoming(flags, fail),
    ...founding(flags, fail),
    ...trust(flags, fail),
    ...(electionTimeout !== undefined && { electionTimeout }),
    ...(heartbeat !== undefined && { heartbeat }),
    ...(tuned !== undefined && { tuned: { atLeast: tuned } }),
    ...(diskStall !== undefined && { diskStall }),
    ...(snapshotEntries !== undefined && { snapshotEntries }),
    ...(snapshotTail !== undefined && { snapshotTailBytes: snapshotTail }),
    ...(segment !== undefined && { segmentSize: segment }),
    ...(forward !== undefined && { forward }),
  }
}

/** What is for clients of `rxraft/kv`. */
function welcoming(
  { clients, clientsSecretFile: file, clientsOrigin: origins }: Flags,
  fail: Fail,
): Pick<ServeOptions, 'clients' | 'clientsSecret' | 'origins'> {
  return {
    ...(clients !== undefined && { clients }),
    ...(origins !== undefined && { origins }),
    ...(file !== undefined && {
      clientsSecret: readFlag('--clients-secret-file', file, fail).trim(),
    }),
  }
}

/** Which cluster it belongs to: one that it founds with others, or one that is there already. */
function founding(
  flags: Flags,
  fail: Fail,
): Pick<ServeOptions, 'members' | 'joining' | 'priorities' | 'isExisting'> {
  const { id, member: members = [], join, learner, witness, advertise, listen, http } = flags
  const { priority, existing, cluster } = flags
  if (join !== undefined) {
    if (priority !== undefined)
      fail("option '--priority' is for founders: see 'rxraft members priority'")
    const here = {
      ...{ peer: formatAddress(listen), http: `http://${formatAddress(http)}` },
      ...(flags.clients !== undefined && { clients: formatAddress(flags.clients) }),
    }
    const as = witness ? 'witnesses' : learner ? 'learners' : 'voters'
    const joining = { id, cluster, contact: join, as, ...(advertise ?? here) } as const
    return { members: [], joining }
  }
  if (learner ?? witness ?? advertise) fail("option '--join' is missing")
  const ids = members.map((it) => it.id)
  if (ids.length === 0)
    fail("option '--member' is missing, or '--join' for a cluster that is there")
  const twice = ids.find((it, i) => ids.indexOf(it) !== i)
  if (twice !== undefined) fail(`option '--member' names ${twice} twice`)
  if (!ids.includes(id)) fail(`option '--id' is "${id}", which no '--member' names`)
  return {
    members,
    ...(priority !== undefined && { priorities: Object.fromEntries(priority) }),
    ...(existing !== undefined && { isExisting: existing }),
  }
}

function readFlag(option: string, path: string, fail: Fail): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return fail(`option '${option}' cannot be read: ${(error as Error).message}`)
  }
}

/** How servers know each other: by a secret, by certificates, or not at all. */
function trust(flags: Flags, fail: Fail): Pick<ServeOptions, 'secret' | 'tls'> {
  const { secretFile, tlsCa, tlsCert, tlsKey } = flags
  const read = (option: string, path: string): string => readFlag(option, path, fail)
  if (secretFile !== undefined) return { secret: read('--secret-file', secretFile).trim() }
  if (tlsCa === undefined && tlsCert === undefined && tlsKey === undefined) return {}
  if (tlsCa === undefined) return fail("option '--tls-ca' is missing")
  if (tlsCert === undefined) return fail("option '--tls-cert' is missing")
  if (tlsKey === undefined) return fail("option '--tls-key' is missing")
  return {
    tls: {
      ca: read('--tls-ca', tlsCa),
      cert: read('--tls-cert', tlsCert),
      key: read('--tls-key', tlsKey),
    },
  }
}

/** The option of the command line that sets an option of the library. */
export const flagOf = (option: string): string => FLAGS.get(option) ?? option

const FLAGS = new Map([
  ['id', '--id'],
  ['members', '--member'],
  ['witnesses', '--member'],
  ['peers', '--member'],
  ['addresses', '--member'],
  ['priorities', '--priority'],
  ['directory', '--data'],
  ['listen', '--listen'],
  ['cluster', '--cluster'],
  ['secret', '--secret-file'],
  ['tls', '--tls-ca'],
  ['tls.ca', '--tls-ca'],
  ['tls.cert', '--tls-cert'],
  ['tls.key', '--tls-key'],
  ['electionTimeout', '--election-timeout'],
  ['heartbeat', '--heartbeat'],
  ['tuned', '--tuned'],
  ['diskStall', '--disk-stall'],
  ['maxCommandBytes', '--max-value'],
  ['maxAppendBytes', '--max-value'],
  ['snapshotEntries', '--snapshot-entries'],
  ['snapshotTailBytes', '--snapshot-tail'],
  ['segmentSize', '--segment'],
])

/** Emits when the process is told to stop, or when the one that started it with a channel is gone. */
function stop() {
  const signals$ = merge(fromEvent(process, 'SIGTERM'), fromEvent(process, 'SIGINT'))
  // A second signal, as from a terminal and from a parent too, must not cut the stopping short.
  signals$.subscribe()
  return merge(signals$, fromEvent(process, 'disconnect'))
}
