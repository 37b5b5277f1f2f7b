import { run } from './command.ts'
import { inside, type Site } from './network.ts'

let chains = 0

/**
 * Has a server's kernel drop incoming packets that match one of the rules. The result opens the way
 * again and tells how many packets were dropped.
 */
export function drop(site: Site, matches: readonly string[]): () => number {
  const chain = `nemesis-${chains++}`
  const [program, ...args] = inside(site, ['iptables-restore', '--noflush'])
  const rules = matches.map((match) => `-A ${chain} ${match} -j DROP`)
  const table = ['*filter', `:${chain} - [0:0]`, ...rules, `-I INPUT -j ${chain}`, 'COMMIT', '']
  run(program!, args, table.join('\n'))
  return () => {
    const dropped = packets(iptables(site, '-nvxL', chain))
    iptables(site, '-D', 'INPUT', '-j', chain)
    iptables(site, '-F', chain)
    iptables(site, '-X', chain)
    return dropped
  }
}

function iptables(site: Site, ...args: string[]): string {
  const [program, ...rest] = inside(site, ['iptables', '-w', ...args])
  return run(program!, rest)
}

/** The packets that a chain's rules have dropped, by the list that `iptables -nvxL` prints. */
export function packets(list: string): number {
  const counts = list.matchAll(/^\s*(\d+)\s+\d+\s+DROP\b/gm)
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

export const from = (peer: Site): string => `-s ${peer.host}/32`

/** A packet has the chance `probability`, 0 to 1, to match. */
export const atRandom = (probability: number): string =>
  `-m statistic --mode random --probability ${probability.toFixed(3)}`
