import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import {
  concatMap,
  distinctUntilChanged,
  exhaustMap,
  fromEvent,
  map,
  merge,
  skipWhile,
  take,
  timer,
  type Observable,
} from 'rxjs'
import { DEMO, parseAddress, type Member } from './addresses.ts'
import { leaderAmong, standings, type LeaderFound } from './standings.ts'

/** One of the demo's servers, as it was started. */
export interface Server {
  readonly member: Member
  readonly child: ChildProcess
  /** The file that holds what it says. */
  readonly log: string
  /** What starts it again, as one types it. */
  readonly command: string
}

/** Milliseconds between two looks at who leads. */
const LOOK = 300

/** Starts a cluster of three on this machine. `file` is the program, `directory` holds the logs. */
export async function startAll(file: string, directory: string): Promise<Server[]> {
  for (const { peer, http } of DEMO) {
    await assertFree(peer)
    await assertFree(http.slice('http://'.length))
  }
  mkdirSync(directory, { recursive: true })
  return DEMO.map((member) => start(member, file, directory))
}

function assertFree(address: string): Promise<void> {
  const { host, port } = parseAddress(address)
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', (error) =>
      reject(new Error(`the demo needs ${address}: ${error.message}. Is another demo running?`)),
    )
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()))
  })
}

function start(member: Member, file: string, directory: string): Server {
  const { id, peer, http } = member
  const args = [
    ...['serve', '--id', id, '--data', join(directory, id), '--listen', peer],
    ...['--http', http.slice('http://'.length)],
    ...DEMO.flatMap((it) => ['--member', `${it.id}=${it.peer},${it.http}`]),
  ]
  const log = join(directory, `${id}.log`)
  const output = openSync(log, 'a')
  // The channel tells the servers when this process is gone, however it went.
  const child = spawn(process.execPath, [...process.execArgv, file, ...args], {
    stdio: ['ignore', 'ignore', output, 'ipc'],
  })
  closeSync(output)
  const command = ['node', ...process.execArgv, relative('.', file), ...args].join(' ')
  return { member, child, log, command }
}

/** What happens in the cluster, a paragraph each. */
export function happenings(servers: readonly Server[]): Observable<string> {
  return merge(leaders(servers), ...servers.map(death))
}

/** Who leads, and at the first time what to try. */
function leaders(servers: readonly Server[]): Observable<string> {
  const leader$ = timer(0, LOOK).pipe(
    exhaustMap(() => standings(servers.map(({ member }) => member.http))),
    map(leaderAmong),
    skipWhile((leader) => leader === undefined),
    distinctUntilChanged((a, b) => a?.id === b?.id && a?.term === b?.term),
  )
  return leader$.pipe(
    concatMap((leader, i) => [told(leader), ...(i === 0 ? [whatToTry(servers)] : [])]),
  )
}

const told = (leader: LeaderFound | undefined): string =>
  leader === undefined
    ? 'no leader: an election is on, or fewer than two servers are up'
    : `${leader.id} leads in term ${leader.term}: ${leader.http}`

function whatToTry(servers: readonly Server[]): string {
  const [a, b, c] = servers.map(({ member }) => member.http)
  return [
    '',
    'Try, in another terminal:',
    '  npx rxraft put greeting hello',
    '  npx rxraft get greeting',
    '  npx rxraft watch',
    'or without the client:',
    `  curl -L -X PUT --data-binary hello ${a}/kv/greeting`,
    `  curl ${b}/kv/greeting`,
    `  curl -N ${c}/watch`,
    'and then take a server away; what was acknowledged stays:',
    ...servers.map(({ member, child }) => `  kill -9 ${child.pid}    # ${member.id}`),
    'Ctrl-C stops all.',
    '',
  ].join('\n')
}

function death({ member, child, log, command }: Server): Observable<string> {
  return fromEvent(child, 'exit').pipe(
    take(1),
    map(() => {
      const { signalCode, exitCode, pid } = child
      const last = readFileSync(log, 'utf8').trimEnd().split('\n').at(-1)
      const cause = signalCode === null ? `exit code ${exitCode}: ${last}` : signalCode
      return `${member.id} (process ${pid}) is dead by ${cause}. Start it again with\n  ${command}`
    }),
  )
}

/** Stops those that still run, and waits for them. */
export async function stopAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map(async ({ child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }),
  )
}
