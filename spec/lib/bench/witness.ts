import type { Envelope } from '../../../lib/messages.ts'
import type { State } from '../../../lib/state.ts'
import type { Answer, Step } from '../../../lib/turn.ts'
import type { Index, NodeId, Term } from '../../../lib/types.ts'
import { replace } from './disk.ts'
import { entriesIn, entriesOf, type Entry } from './entries.ts'
import type { Server } from './server.ts'

/**
 * Watches every step of every server and throws at the first that breaks a promise of Figure 3, of
 * durability or of linearizable reads. It looks from outside: what it compares it has decoded itself,
 * and it never asks the engine's own helpers.
 */
export class Witness {
  /** What is committed anywhere. */
  committed: readonly Entry[] = []
  readonly #leaders = new Map<Term, NodeId>()
  readonly #votes = new Map<string, NodeId>()
  /** For each `index@term` that was ever written: its command, and the term of the entry before it. */
  readonly #written = new Map<string, string>()
  /** Each server's log with all that is being saved. */
  readonly #logs = new Map<NodeId, readonly Entry[]>()
  /** What was committed anywhere when a read was asked. */
  readonly #asked = new Map<number, Index>()

  constructor(private readonly servers: readonly Server[]) {}

  restarted(server: Server): void {
    this.#logs.set(server.id, server.disk.log)
  }

  asked(ticket: number): void {
    this.#asked.set(ticket, this.committed.length)
  }

  observe(server: Server, before: State, step: Step): void {
    this.#terms(server, before)
    this.#leadership(server, before)
    this.#log(server, step)
    this.#commits(server, before, step)
    for (const envelope of step.send) this.#promise(server, envelope)
    for (const answer of step.answers) this.#read(server, answer)
  }

  /** What was written is what the server believes, entry by entry. */
  compare(server: Server): void {
    const written = JSON.stringify(this.#logs.get(server.id) ?? [])
    demand(written === JSON.stringify(entriesIn(server.state.log)), 'the log is what was written')
  }

  #terms({ state }: Server, before: State): void {
    demand(state.term >= before.term, 'terms never fall')
    demand(
      state.term > before.term || before.vote === undefined || state.vote === before.vote,
      'a vote is never taken back',
    )
    demand(state.commitIndex >= before.commitIndex, 'the commit index never falls')
  }

  #leadership(server: Server, before: State): void {
    const { term, role } = server.state
    if (role.type !== 'leader') return
    const known = this.#leaders.get(term) ?? server.id
    demand(known === server.id, `election safety: ${known} and ${server.id} lead term ${term}`)
    this.#leaders.set(term, known)
    if (before.role.type === 'leader') return
    const log = entriesIn(server.state.log)
    for (const entry of this.committed) {
      demand(isSame(log[entry.index - 1], entry), `leader completeness: entry ${entry.index}`)
    }
  }

  #log(server: Server, { save }: Step): void {
    let log = this.#logs.get(server.id) ?? []
    for (const entry of entriesOf(save?.batches ?? [])) {
      log = replace(log, [entry])
      const place = `${entry.index}@${entry.term}`
      const content = `${entry.kind} ${entry.text} after ${log[entry.index - 2]?.term ?? 0}`
      const known = this.#written.get(place) ?? content
      demand(known === content, `log matching: ${place} is ${content} and ${known}`)
      this.#written.set(place, known)
    }
    this.#logs.set(server.id, log)
    const { lastIndex, lastTerm } = server.state.log
    const isWritten = log.length === lastIndex && (log.at(-1)?.term ?? 0) === lastTerm
    demand(isWritten, 'all that is in the log is saved')
  }

  #commits(server: Server, before: State, step: Step): void {
    let index = before.commitIndex
    const news: Entry[] = []
    for (const entry of entriesOf(step.committed)) {
      demand(entry.index === ++index, 'entries are committed in order, each once')
      const known = this.committed[entry.index - 1]
      demand(known === undefined || isSame(known, entry), `state machine safety: ${index}`)
      if (known === undefined) news.push(entry)
    }
    demand(index === server.state.commitIndex, 'all that is committed is handed out')
    if (news.length === 0) return
    const { role, term } = server.state
    demand(role.type === 'leader', 'leaders commit first')
    demand(news.at(-1)!.term === term, 'a leader counts disks for entries of its own term only')
    for (const entry of news) {
      const disks = this.servers.filter(({ disk }) => isSame(disk.log[entry.index - 1], entry))
      demand(disks.length * 2 > this.servers.length, `entry ${entry.index} is on a quorum of disks`)
    }
    this.committed = [...this.committed, ...news]
  }

  /** What leaves a server holds on its disk, whatever happens to the server next. */
  #promise({ disk }: Server, { from, to, message }: Envelope): void {
    if (message.type === 'appended') {
      demand(disk.log.length >= message.match, `${from} acknowledges what it has not saved`)
      return
    }
    const isVote = message.type === 'vote' && message.granted && !message.pre
    const isRequest = message.type === 'requestVote' && !message.pre
    if (!isVote && !isRequest) return
    const { term } = message
    const choice = isVote ? to : from
    const known = this.#votes.get(`${from}@${term}`) ?? choice
    demand(known === choice, `${from} votes for ${known} and ${choice} in term ${term}`)
    this.#votes.set(`${from}@${term}`, known)
    const { ballot } = disk
    demand(
      ballot.term > term || (ballot.term === term && ballot.vote === choice),
      `${from} votes for ${choice} before its disk knows`,
    )
  }

  #read({ state }: Server, answer: Answer): void {
    if (answer.type !== 'readable') return
    const index = this.#asked.get(answer.ticket)
    demand(index !== undefined, `nobody asked for read ${answer.ticket}`)
    demand(state.appliedIndex >= index!, `read ${answer.ticket} misses entry ${index}`)
  }
}

const isSame = (a: Entry | undefined, b: Entry): boolean =>
  a !== undefined && a.term === b.term && a.kind === b.kind && a.text === b.text

function demand(holds: boolean, promise: string): void {
  if (!holds) throw new Error(promise)
}
