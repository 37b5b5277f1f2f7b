import type { Write } from './history.ts'

/** A change of a key, as a server tells it to those who watch. */
export interface Commit {
  readonly index: number
  readonly key: string
  readonly value: string
}

/** What a server has applied from index `from` on. */
export interface Account {
  readonly id: string
  readonly from: number
  readonly commits: readonly Commit[]
}

/**
 * Holds the servers' accounts against each other and against what the clients were told: a sentence for
 * each thing that does not fit.
 */
export function audit(accounts: readonly Account[], writes: readonly Write[]): string[] {
  return [
    ...disagreements(accounts),
    ...accounts.flatMap((account) => [...losses(account, writes), ...repetitions(account)]),
    ...inventions(accounts, writes),
    ...accounts.flatMap(miscounts),
  ]
}

/** What is told of each index has to be the same everywhere. */
function disagreements(accounts: readonly Account[]): string[] {
  const from = Math.max(1, ...accounts.map((account) => account.from))
  const kept = accounts.map(({ id, commits }) => ({
    id,
    commits: commits.filter(({ index }) => index >= from),
  }))
  const [first, ...others] = kept
  if (first === undefined) return []
  return others.flatMap(({ id, commits }) => {
    const length = Math.max(commits.length, first.commits.length)
    for (let i = 0; i < length; i++) {
      const [left, right] = [shown(first.commits[i]), shown(commits[i])]
      if (left !== right) return [`${first.id} applied ${left} where ${id} applied ${right}`]
    }
    return []
  })
}

const shown = (commit: Commit | undefined): string =>
  commit === undefined ? 'nothing' : `${commit.key} = ${commit.value} at ${commit.index}`

/** Every acknowledged write is where its acknowledgement said. */
function losses({ id, from, commits }: Account, writes: readonly Write[]): string[] {
  const at = new Map(commits.map((commit) => [commit.index, commit]))
  return writes.flatMap(({ key, value, outcome }) => {
    if (typeof outcome !== 'number' || outcome < from) return []
    const found = at.get(outcome)
    if (found?.key === key && found.value === value) return []
    return [`${id} lost the acknowledged ${key} = ${value} at ${outcome}: ${shown(found)}`]
  })
}

/** No word is written twice: each is written by one request. */
function repetitions({ id, commits }: Account): string[] {
  const seen = new Map<string, number>()
  return commits.flatMap(({ index, key, value }) => {
    const word = `${key} = ${value}`
    const before = seen.get(word)
    seen.set(word, index)
    return before === undefined ? [] : [`${id} applied ${word} twice: at ${before} and ${index}`]
  })
}

/** Nothing is there that nobody wrote, or that a client was told will never be there. */
function inventions(accounts: readonly Account[], writes: readonly Write[]): string[] {
  const possible = new Set(
    writes.filter(({ outcome }) => outcome !== 'none').map(({ key, value }) => `${key} = ${value}`),
  )
  return accounts.flatMap(({ id, commits }) =>
    commits
      .filter(({ key, value }) => !possible.has(`${key} = ${value}`))
      .map((commit) => `${id} applied ${shown(commit)}, which nobody wrote or which was refused`),
  )
}

/** A counter that only conditional increments write goes up by one each time. */
function miscounts({ id, from, commits }: Account): string[] {
  const counts = new Map<string, number>()
  return commits.flatMap(({ index, key, value }) => {
    if (!key.includes('count')) return []
    const before = counts.get(key) ?? (from > 1 ? Number(value) - 1 : 0)
    counts.set(key, Number(value))
    if (Number(value) === before + 1) return []
    return [`${id} counted ${key} from ${before} to ${value} at ${index}`]
  })
}
