import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { linearizable } from '../../testing/checkers/linearizability.ts'
import { audit, untold } from './audit.ts'
import { tooOld } from './bounded.ts'
import { Cleanup } from './cleanup.ts'
import { Clients } from './clients.ts'
import { fleetOf } from './cluster.ts'
import { contentsOf, differences } from './contents.ts'
import type { Fleet } from './fleet.ts'
import { heal } from './heal.ts'
import { History } from './history.ts'
import { Leaders } from './leaders.ts'
import { Lookout } from './lookout.ts'
import type { Means } from './means.ts'
import { Memberships } from './memberships.ts'
import { immortals, isOver, Mortals, unnatural } from './mortals.ts'
import { torment } from './nemesis.ts'
import { schedule } from './schedule.ts'
import type { Server } from './server.ts'
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

const CLIENTS_PER_SERVER = 4

export async function attempt(trial: Trial, directory: string, means: Means): Promise<Result> {
  const { nodes, seed, duration } = trial
  const home = join(directory, `${nodes}-nodes`)
  mkdirSync(home)
  const cleanup = new Cleanup()
  try {
    const fleet = await fleetOf(nodes, home, means, new Memberships(), cleanup, seed)
    const history = new History()
    const leaders = new Leaders()
    for (const server of fleet.servers) server.start()
    const lookout = new Lookout(fleet, leaders)
    const clients = new Clients(fleet, history, seed, CLIENTS_PER_SERVER * nodes)
    const mortals = new Mortals(fleet, seed)
    const events = schedule(seed, nodes, duration, means.kinds)
    const tally = await torment(fleet, leaders, events, means.kinds)
    await mortals.stop()
    const unhealed = await heal(fleet, lookout, clients, history)
    const problems = [...unhealed, ...mortals.lives.flatMap(unnatural)]
    await lookout.stop()
    const evidence = await evidenceOf(fleet, lookout, history, leaders, problems)
    return { tally, evidence: { ...evidence, expired: mortals.lives.filter(isOver).length } }
  } finally {
    cleanup.run()
  }
}

/** A run that has seen less of its own past, as a share, has checked too little. */
const MOST_UNTOLD = 0.2

async function evidenceOf(
  fleet: Fleet,
  { recorders }: Lookout,
  history: History,
  leaders: Leaders,
  seen: readonly string[],
): Promise<Omit<Evidence, 'expired'>> {
  const { operations, writes, acknowledged, replayed, bounded } = history
  const { memberships, everybody, servers } = fleet
  const accounts = [...recorders.values()].map(({ account }) => account)
  const problems = [
    ...[...leaders.problems, ...memberships.problems, ...everybody.flatMap(surprises)],
    ...[...seen, ...audit(accounts, writes), ...tooOld(bounded, writes)],
  ]
  if (seen.length === 0) {
    const full = servers.filter(({ isWitness }) => !isWitness)
    problems.push(...differences(await Promise.all(full.map(contentsOf)), writes))
    problems.push(...(await immortals(full)))
  }
  const doubts: string[] = []
  const missed = untold(accounts, writes)
  if (missed > MOST_UNTOLD) doubts.push(`no server tells of ${Math.round(100 * missed)} % of it`)
  const verdict = linearizable(operations)
  if (verdict.type === 'violation') problems.push(`${verdict.key}: ${verdict.message}`)
  if (verdict.type === 'undecided') doubts.push(`${verdict.key}: ${verdict.message}`)
  return {
    ...{ problems, doubts, acknowledged, replayed },
    operations: operations.length + bounded.length,
    bounded: bounded.length,
    witnesses: everybody.filter(({ isWitness }) => isWitness).length,
    leaderChanges: leaders.changes,
    memberChanges: Math.max(0, memberships.count - 1),
  }
}

/** Ends that no fault accounts for. */
function surprises({ id, exits }: Server): string[] {
  return exits
    .filter(({ isExcused }) => !isExcused)
    .map(({ code, signal, output }) => `${id} died by itself (${signal ?? code}): ${tail(output)}`)
}

const tail = (output: string): string => output.trim().split('\n').slice(-3).join(' | ')
