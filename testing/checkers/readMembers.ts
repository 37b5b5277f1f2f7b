import type { Batch } from '../../lib/batch.ts'
import type { Log } from '../../lib/log.ts'
import type { State } from '../../lib/state.ts'
import type { Members } from '../../lib/types.ts'
import { batchesFrom, lastCommon } from './entries.ts'
import { Lives } from './lives.ts'

interface Memory {
  log: Log | undefined
  found: readonly Members[]
  first: Members | undefined
  all: readonly Members[]
}

/** The configurations in servers' logs, as a bystander reads them. */
export class ReadMembers {
  readonly #lives = new Lives<Memory>(() => ({
    ...{ log: undefined, found: [], first: undefined, all: [] },
  }))
  readonly #decoded = new WeakMap<Batch, Members>()

  /**
   * What a server's log and its snapshot say, in the order of the log: the last one is in force, committed or
   * not (§6). The first one is what everything before has come to.
   */
  of(id: string, life: number, { log, snapshot, config }: State): readonly Members[] {
    const memory = this.#lives.of(id, life)
    const first = snapshot?.members ?? config.members
    if (memory.log === log && memory.first === first) return memory.all
    if (memory.log !== log) this.#read(memory, log)
    memory.first = first
    memory.all = [first, ...memory.found.filter(({ index }) => index > first.index)]
    return memory.all
  }

  #read(memory: Memory, log: Log): void {
    const kept = memory.log === undefined ? log.base.index : lastCommon(memory.log, log)
    memory.log = log
    const old = memory.found.filter(({ index }) => index <= kept && index > log.base.index)
    const news = batchesFrom(log, kept + 1).filter(({ kind }) => kind === 'members')
    memory.found = [...old, ...news.map((batch) => this.#decode(batch))]
  }

  #decode(batch: Batch): Members {
    const known = this.#decoded.get(batch)
    if (known !== undefined) return known
    // Behind four bytes with its length.
    const text = new TextDecoder().decode(batch.bytes.subarray(4))
    const { witnesses = [], ...rest } = JSON.parse(text) as Partial<Members>
    const members = { ...(rest as Members), witnesses, index: batch.index }
    this.#decoded.set(batch, members)
    return members
  }
}

/** What two configurations differ in, but for the entries that set them. */
export const namesOf = ({ voters, outgoing, learners, witnesses }: Members): string =>
  [voters, outgoing, learners, witnesses].map((ids) => ids.join(' ')).join(' | ')
