export { checkers, linearizable } from './checkers/index.ts'
export type {
  Checker,
  MakeChecker,
  Observation,
  Operation,
  Request,
  Response,
  Verdict,
} from './checkers/index.ts'
export { cluster, type Cluster, type ClusterOptions, type Failure } from './cluster.ts'
export { expectLeader } from './marbles/expectLeader.ts'
export { cuts, network } from './marbles/network.ts'
export type { SizedOptions } from './marbles/sized.ts'
export { seeded } from './seeded.ts'
export * from './simulation/index.ts'
