/** What can be done to a server, to its network, or to the cluster. */
export const kinds = [
  'kill',
  'pause',
  'cut',
  'oneWayCut',
  'loss',
  'clockJump',
  'fullDisk',
  'failingFsync',
  'join',
  'learner',
  'remove',
  'replace',
  'rejoin',
  'transfer',
  'snapshot',
] as const

export type Kind = (typeof kinds)[number]
