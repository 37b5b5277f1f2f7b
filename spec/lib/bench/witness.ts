import type { Envelope } from '../../../lib/messages.ts'
import type { State } from '../../../lib/state.ts'
import type { Answer, Step } from '../../../lib/turn.ts'
import type { Index, Members, NodeId, Term } from '../../../lib/types.ts'
import { entriesIn, entriesOf, type Entry } from './entries.ts'
import { entryAt, lastIndexIn, nothing, replace, termOf, type Span } from './span.ts'
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
  readonly #logs = new Map<NodeId, Span>()
  /** What was committed anywhere when a read was asked. */
  readonly #asked = new Map<number, Index>()

  constructor(
    private readonly servers: readonly Server[],
    /** The servers that are to keep no commands. */
    private readonly hollow = '',
  ) {}

  restarted(server: Server): void {
    const { base, log } = server.disk
    this.#logs.set(server.id, { base, log })
  }

  asked(ticket: number): void {
    this.#asked.set(ticket, this.committed.length)
  }

  observe(server: Server, before: State, step: Step): void {
    this.#terms(server, before)
    this.#leadership(server, before)
    // What it writes in this turn is in force for what it commits in the next.
    const electorates = this.#electorates(server)
    this.#log(server, step)
    this.#commits(server, before, electorates)
    this.#handsOut(server, before, step)
    this.#snapshot(server)
    for (const envelope of step.send) this.#promise(server, envelope)
    for (const answer of step.answers) this.#read(server, answer)
  }

  /** What was written is what the server believes, entry by entry. */
  compare(server: Server): void {
    const { base } = server.state.log
    const written = this.#logOf(server).log.filter(({ index }) => index > base.index)
    const believed = JSON.stringify(entriesIn(server.state.log))
    demand(JSON.stringify(written) === believed, 'the log is what was written')
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
    demand(!this.hollow.includes(server.id), `the witness ${server.id} leads`)
    const { base } = server.state.log
    const held = { base, log: entriesIn(server.state.log) }
    for (const entry of this.committed) {
      const isHeld = entry.index <= base.index || isSame(entryAt(held, entry.index), entry)
      demand(isHeld, `leader completeness: entry ${entry.index}`)
    }
  }

  #log(server: Server, { save }: Step): void {
    let log = save?.reset === undefined ? this.#logOf(server) : { base: save.reset, log: [] }
    for (const entry of entriesOf(save?.batches ?? [])) {
      log = replace(log, [entry])
      const place = `${entry.index}@${entry.term}`
      const isCommand = !['noop', 'members', 'withheld'].includes(entry.kind)
      const isHollow = this.hollow.includes(server.id)
      demand(!isHollow || !isCommand, `the witness ${server.id} has the command ${place}`)
      demand(isHollow || entry.kind !== 'withheld', `${server.id} has no command at ${place}`)
      if (entry.kind === 'withheld') continue
      const content = `${entry.kind} ${entry.text} after ${termOf(log, entry.index - 1)}`
      const known = this.#written.get(place) ?? content
      demand(known === content, `log matching: ${place} is ${content} and ${known}`)
      this.#written.set(place, known)
    }
    this.#logs.set(server.id, log)
    const { lastIndex, lastTerm } = server.state.log
    const isWritten = lastIndexIn(log) === lastIndex && termOf(log, lastIndex) === lastTerm
    demand(isWritten, 'all that is in the log is saved')
  }

  #logOf({ id }: Server): Span {
    return this.#logs.get(id) ?? nothing
  }

  /** Whose majorities this server needs, by the last configuration that it has written (§6). */
  #electorates(server: Server): readonly (readonly NodeId[])[] {
    const written = this.#logs.get(server.id)?.log.findLast(({ kind }) => kind === 'members')
    const { snapshot } = server.disk
    const { voters, outgoing } =
      written === undefined
        ? (snapshot?.mark.members ?? this.servers[0]!.config.members)
        : (JSON.parse(written.text) as Members)
    return outgoing.length === 0 ? [voters] : [voters, outgoing]
  }

  /** What the leader commits first, whether or not its state machine may have it yet. */
  #commits(server: Server, before: State, electorates: readonly (readonly NodeId[])[]): void {
    const { log, commitIndex, role, term } = server.state
    if (commitIndex <= this.committed.length) return
    const isNew = ({ index }: Entry) => index > this.committed.length && index <= commitIndex
    const news = entriesIn(log).filter(isNew)
    // One that is no longer a member leads until it has committed that.
    demand([role.type, before.role.type].includes('leader'), 'leaders commit first')
    demand(news.at(-1)!.term === term, 'a leader counts disks for entries of its own term only')
    for (const entry of news) {
      const holders = this.servers.filter(({ disk }) => isSame(entryAt(disk, entry.index), entry))
      const isHolder = (id: NodeId): boolean => holders.some((holder) => holder.id === id)
      const isKept = holders.some(({ id }) => !this.hollow.includes(id))
      demand(isKept, `entry ${entry.index} is on the disk of a server that keeps it`)
      for (const voters of electorates) {
        const count = voters.filter(isHolder).length
        demand(count * 2 > voters.length, `entry ${entry.index} is on a quorum of disks`)
      }
    }
    this.committed = [...this.committed, ...news]
  }

  #handsOut({ state }: Server, before: State, { committed }: Step): void {
    const isBusy = state.restoring !== undefined
    // A snapshot that the state machine has taken over stands for what came before it.
    const isRestored = before.restoring !== undefined && !isBusy
    let index = isRestored ? before.restoring.mark.index : before.handedIndex
    for (const entry of entriesOf(committed)) {
      demand(entry.index === ++index, 'entries are handed out in order, each once')
      demand(isSame(entry, this.committed[index - 1]), `state machine safety: ${index}`)
    }
    demand(index === state.handedIndex, 'what is handed out is what is said to be')
    demand(isBusy || index === state.commitIndex, 'all that is committed is handed out')
    demand(!isBusy || committed.length === 0, 'nothing is handed out to half a state')
  }

  /** A snapshot stands for what is committed, and the log is only shortened behind one that is durable. */
  #snapshot({ state, disk }: Server): void {
    const { snapshot, log } = state
    const { index, term } = snapshot ?? nothing.base
    demand((disk.snapshot?.mark.index ?? 0) >= index, `snapshot ${index} is not on the disk`)
    demand(log.base.index <= index, `entry ${log.base.index} is in no snapshot`)
    demand(state.commitIndex >= index, `snapshot ${index} is not committed`)
    if (index === 0) return
    demand(this.committed[index - 1]?.term === term, `snapshot ${index}@${term} is of another log`)
  }

  /** What leaves a server holds on its disk, whatever happens to the server next. */
  #promise({ disk }: Server, { from, to, message }: Envelope): void {
    if (message.type === 'appended') {
      const saved = Math.max(lastIndexIn(disk), disk.snapshot?.mark.index ?? 0)
      demand(saved >= message.match, `${from} acknowledges what it has not saved`)
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

/** What is withheld stands for any command. */
const isSame = (a: Entry | undefined, b: Entry | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.term === b.term &&
  (a.kind === 'withheld' || (a.kind === b.kind && a.text === b.text))

function demand(holds: boolean, promise: string): void {
  if (!holds) throw new Error(promise)
}
