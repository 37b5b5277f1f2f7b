export { cluster, type Cluster, type ClusterOptions, type Failure } from './cluster.ts'
export { seeded } from './seeded.ts'
