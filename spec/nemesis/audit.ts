import type { Write } from './history.ts'

/** A change of a key, as a server tells it to those who watch. */
export interface Commit {
  readonly index: number
  readonly key: string
  readonly value: string
}

/** Indexes of the log, both included. */
export interface Range {
  readonly from: number
  through: number
}

/** What a server has told: all changes of these ranges, in order. */
export interface Account {
  readonly id: string
  readonly ranges: readonly Range[]
  readonly commits: readonly Commit[]
}

/**
 * Holds the servers' accounts against each other and against what the clients were told: a sentence for
 * each thing that does not fit.
 */
export function audit(accounts: readonly Account[], writes: readonly Write[]): string[] {
  const told = together(accounts)
  const all = [...told.commits.values()].sort((a, b) => a.index - b.index)
  return [
    ...told.problems,
    ...accounts.flatMap((account) => silences(account, all)),
    ...losses(accounts, told.commits, writes),
    ...repetitions(all),
    ...inventions(all, writes),
    ...miscounts(all, accounts),
  ]
}

/** What anybody has told of each index: it has to be the same everywhere. */
function together(accounts: readonly Account[]) {
  const commits = new Map<number, Commit>()
  const by = new Map<number, string>()
  const problems: string[] = []
  for (const { id, commits: its } of accounts) {
    for (const commit of its) {
      const other = commits.get(commit.index)
      if (other === undefined) {
        commits.set(commit.index, commit)
        by.set(commit.index, id)
      } else if (shown(other) !== shown(commit)) {
        const first = `${by.get(commit.index)} applied ${shown(other)}`
        problems.push(`${first} where ${id} applied ${shown(commit)}`)
      }
    }
  }
  return { commits, problems }
}

const shown = (commit: Commit | undefined): string =>
  commit === undefined ? 'nothing' : `${commit.key} = ${commit.value} at ${commit.index}`

/** What one server has told, every other one tells too that speaks of that part of the log. */
function silences({ id, ranges, commits }: Account, all: readonly Commit[]): string[] {
  const told = new Set(commits.map(({ index }) => index))
  return all
    .filter(({ index }) => !told.has(index) && isIn(ranges, index))
    .map((commit) => `${id} applied nothing where another applied ${shown(commit)}`)
}

const isIn = (ranges: readonly Range[], index: number): boolean =>
  ranges.some(({ from, through }) => from <= index && index <= through)

/** Every acknowledged write is where its acknowledgement said. */
function losses(
  accounts: readonly Account[],
  commits: ReadonlyMap<number, Commit>,
  writes: readonly Write[],
): string[] {
  return writes.flatMap(({ key, value, outcome }) => {
    if (typeof outcome !== 'number') return []
    const found = commits.get(outcome)
    if (found?.key === key && found.value === value) return []
    if (found === undefined && !accounts.some(({ ranges }) => isIn(ranges, outcome))) return []
    return [`the acknowledged ${key} = ${value} at ${outcome} is lost: ${shown(found)}`]
  })
}

/** No word is written twice: each is written by one request. */
function repetitions(all: readonly Commit[]): string[] {
  const seen = new Map<string, number>()
  return all.flatMap(({ index, key, value }) => {
    const word = `${key} = ${value}`
    const before = seen.get(word)
    seen.set(word, index)
    return before === undefined ? [] : [`${word} was applied twice: at ${before} and ${index}`]
  })
}

/** Nothing is there that nobody wrote, or that a client was told will never be there. */
function inventions(all: readonly Commit[], writes: readonly Write[]): string[] {
  const possible = new Set(
    writes.filter(({ outcome }) => outcome !== 'none').map(({ key, value }) => `${key} = ${value}`),
  )
  return all
    .filter(({ key, value }) => !possible.has(`${key} = ${value}`))
    .map((commit) => `${shown(commit)} was applied, which nobody wrote or which was refused`)
}

/** A counter that only conditional increments write goes up by one each time. */
function miscounts(all: readonly Commit[], accounts: readonly Account[]): string[] {
  const ranges = accounts.flatMap(({ ranges }) => ranges)
  const counts = new Map<string, Commit>()
  return all.flatMap((commit) => {
    const { index, key, value } = commit
    if (!key.includes('count')) return []
    const before = counts.get(key)
    counts.set(key, commit)
    const from = Number(before?.value ?? 0)
    if (Number(value) === from + 1 || !isTold(ranges, before?.index ?? 1, index)) return []
    return [`${key} was counted from ${from} to ${value} at ${index}`]
  })
}

/** Whether somebody has told of every index between the two. */
function isTold(ranges: readonly Range[], from: number, through: number): boolean {
  for (let at = from; at < through;) {
    const next = Math.max(0, ...ranges.filter((it) => it.from <= at + 1).map((it) => it.through))
    if (next <= at) return false
    at = next
  }
  return true
}

/** How much of the log nobody has told of, as a share of what was acknowledged: 0 to 1. */
export function untold(accounts: readonly Account[], writes: readonly Write[]): number {
  const indexes = writes.flatMap(({ outcome }) => (typeof outcome === 'number' ? [outcome] : []))
  const missed = indexes.filter((index) => !accounts.some(({ ranges }) => isIn(ranges, index)))
  return indexes.length === 0 ? 0 : missed.length / indexes.length
}
