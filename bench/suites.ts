import { client } from './client.ts'
import { codec } from './codec.ts'
import { compared } from './compare.ts'
import { contest } from './contest.ts'
import { election } from './election.ts'
import { failover } from './failover.ts'
import { flat } from './flat.ts'
import { http } from './http.ts'
import { idle } from './idle.ts'
import { lib } from './lib.ts'
import { logAppend } from './logAppend.ts'
import { memory } from './memory.ts'
import { restart } from './restart.ts'
import { size } from './size.ts'
import { slowFollower } from './slowFollower.ts'
import { snapshot } from './snapshot.ts'
import { soak } from './soak.ts'
import type { Suite } from './suite.ts'
import { wan } from './wan.ts'

const floor = { name: 'floor', script: 'floor.ts', way: '' }

export const suites: readonly Suite[] = [
  compared({
    name: 'engine',
    about:
      'commands through node.submit(command, settle), beside the prototype and one disk and wire',
    subject: { name: 'engine', script: 'engine.ts', way: 'submit' },
    targets: (outstanding) =>
      outstanding === 1 ? { p50: 1.25 } : outstanding < 256 ? {} : { throughput: 0.7 },
    floor: { subject: floor, targets: { p50: 2 } },
  }),
  compared({
    name: 'plain',
    about: 'the engine beside the same core driven by a loop written by hand, without RxJS',
    subject: { name: 'rxjs', script: 'engine.ts', way: 'submit', fromSources: true },
    yardstick: { name: 'plain', script: 'plain.ts', way: '', fromSources: true },
    targets: () => ({ throughput: 0.9 }),
  }),
  memory,
  compared({
    name: 'propose',
    about: 'commands through the operator propose(node, { concurrency })',
    notQuick: true,
    subject: { name: 'engine', script: 'engine.ts', way: 'propose' },
  }),
  compared({
    name: 'ceiling',
    about:
      'the prototype itself, beside one disk and wire, and when each write holds up its process',
    notQuick: true,
    subject: { name: 'blocking', script: 'ceiling.ts', way: 'blocking' },
    floor: { subject: floor, targets: {} },
  }),
  failover,
  restart,
  idle,
  http,
  size,
  contest(
    {
      name: 'client',
      about:
        'clients of rxraft/kv outside of the cluster, beside those of etcd: puts, linearizable reads, both',
    },
    [client],
  ),
  contest(
    { name: 'etcd', about: 'etcd with clients of its own: puts, linearizable reads, and both' },
    [],
  ),
  election,
  wan,
  lib,
  codec,
  logAppend,
  slowFollower,
  snapshot,
  flat,
  soak,
]
