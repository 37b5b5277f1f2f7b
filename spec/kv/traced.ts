import type { Applied, Trace } from 'rxraft'
import { pack } from '../../lib/batch.ts'
import { commandCodec } from '../../kv/codec.ts'
import type { Command, Result } from '../../kv/machine.ts'

export type Commit = Applied<Command, Result>

/** What a node tells of a step in which these were applied, one batch for each run of indexes. */
export function traced(...commits: readonly Commit[]): Trace {
  const codec = commandCodec()
  const runs = commits.reduce<Commit[][]>((all, commit) => {
    if (all.at(-1)?.at(-1)?.index === commit.index - 1) all.at(-1)!.push(commit)
    else all.push([commit])
    return all
  }, [])
  const applied = runs.map((outcomes) => {
    const bytes = pack(outcomes.map(({ command }) => codec.encode(command)))
    const { index, term } = outcomes[0]!
    return { batch: { index, term, kind: 'command', count: outcomes.length, bytes }, outcomes }
  })
  return { type: 'step', step: { applied } } as unknown as Trace
}
