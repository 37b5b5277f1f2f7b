/** What can be done to a server or to its network. */
export const kinds = [
  'kill',
  'pause',
  'cut',
  'oneWayCut',
  'loss',
  'clockJump',
  'fullDisk',
  'failingFsync',
] as const

export type Kind = (typeof kinds)[number]
