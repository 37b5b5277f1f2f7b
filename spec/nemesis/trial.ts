import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { linearizable } from '../../testing/checkers/linearizability.ts'
import { accountOf } from './account.ts'
import { audit } from './audit.ts'
import { Cleanup } from './cleanup.ts'
import { Clients } from './clients.ts'
import { clusterOf } from './cluster.ts'
import { heal } from './heal.ts'
import { History } from './history.ts'
import { Leaders } from './leaders.ts'
import type { Means } from './means.ts'
import { torment } from './nemesis.ts'
import { schedule } from './schedule.ts'
import type { Server } from './server.ts'
import { standingOf } from './standing.ts'
import type { Tally } from './tally.ts'
import type { Evidence } from './verdict.ts'

/** One cluster, from its start to the audit. */
export interface Trial {
  readonly nodes: number
  readonly seed: number
  /** How long the faults go on, in ms. */
  readonly duration: number
}

export interface Result {
  readonly evidence: Evidence
  readonly tally: Tally
}

/** Milliseconds between two rounds of asking who leads. */
const ROUND = 100

const CLIENTS_PER_SERVER = 4

export async function attempt(trial: Trial, directory: string, means: Means): Promise<Result> {
  const { nodes, seed, duration } = trial
  const home = join(directory, `${nodes}-nodes`)
  mkdirSync(home)
  const cleanup = new Cleanup()
  try {
    const servers = await clusterOf(nodes, home, means, cleanup)
    const history = new History()
    const leaders = new Leaders()
    for (const server of servers) server.start()
    const stopWatching = watch(servers, leaders)
    const clients = new Clients(servers, history, seed, CLIENTS_PER_SERVER * nodes)
    const events = schedule(seed, nodes, duration, means.kinds)
    const tally = await torment(servers, leaders, events, means.kinds)
    const last = await heal(servers, clients, history)
    await stopWatching()
    return { tally, evidence: await evidenceOf(servers, history, leaders, last) }
  } finally {
    cleanup.run()
  }
}

/** Asks every server again and again who leads. The result stops it. */
function watch(servers: readonly Server[], leaders: Leaders): () => Promise<void> {
  let isStopped = false
  const asking = servers.map(async (server) => {
    while (!isStopped) {
      const standing = await standingOf(server)
      if (standing !== undefined) leaders.heard(standing)
      await new Promise((resolve) => setTimeout(resolve, ROUND))
    }
  })
  return async () => {
    isStopped = true
    await Promise.all(asking)
  }
}

async function evidenceOf(
  servers: readonly Server[],
  history: History,
  leaders: Leaders,
  last: number | undefined,
): Promise<Evidence> {
  const { operations, writes, acknowledged } = history
  const problems = [...leaders.problems, ...servers.flatMap(surprises)]
  const doubts: string[] = []
  if (last === undefined)
    problems.push('the servers did not agree again after all faults were over')
  else {
    const accounts = await Promise.all(servers.map((server) => accountOf(server, last)))
    problems.push(...audit(accounts, writes))
  }
  const verdict = linearizable(operations)
  if (verdict.type === 'violation') problems.push(`${verdict.key}: ${verdict.message}`)
  if (verdict.type === 'undecided') doubts.push(`${verdict.key}: ${verdict.message}`)
  const { changes } = leaders
  return { problems, doubts, operations: operations.length, acknowledged, leaderChanges: changes }
}

/** Ends that no fault accounts for. */
function surprises({ id, exits }: Server): string[] {
  return exits
    .filter(({ isExcused }) => !isExcused)
    .map(({ code, signal, output }) => `${id} died by itself (${signal ?? code}): ${tail(output)}`)
}

const tail = (output: string): string => output.trim().split('\n').slice(-3).join(' | ')
