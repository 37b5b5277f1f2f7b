import { Option, type Command } from 'commander'
import type { Plan } from 'rxraft'
import { formatPlace, parsePlace, type Place } from './addresses.ts'
import { parsePriority, reads } from './arguments.ts'
import { ask, client, jsonIn, print, type Common } from './asking.ts'
import type { ServerSent } from './events.ts'
import type { Answer, Ask } from './exchange.ts'
import { FAILED, type Io } from './io.ts'
import type { Listed } from './memberList.ts'
import { HIGHEST_PRIORITY } from './plans.ts'

type Exit = (status: number) => void

/** What is done with the cluster rather than with its keys. */
export function addClusterCommands(program: Command, io: Io, exit: Exit): void {
  const members = program.command('members').description('who is in the cluster, and who is to be')
  addAdd(members, io)
  addRemove(members, io)
  addPromote(members, io)
  addPriority(members, io)
  addListing(members, io)
  addTransfer(program, io)
  addSnapshot(program, io, exit)
}

interface Changed {
  readonly index: number
  readonly members: readonly Listed[]
}

interface Part {
  readonly learner?: true
  readonly witness?: true
}

function addAdd(members: Command, io: Io): void {
  client(members, 'add <id>', 'take a server in, which votes when it has caught up')
    .argument('<address>', 'where it is: HOST:PORT,http://HOST:PORT', reads(parsePlace))
    .option('--learner', 'it gets the log and does not vote')
    .addOption(new Option('--witness', 'it votes and keeps no data').conflicts('learner'))
    .action(async (id: string, place: Place, flags: Common & Part) => {
      const list = flags.witness ? 'witnesses' : flags.learner ? 'learners' : 'voters'
      const plan = { [list]: [id], addresses: { [id]: formatPlace(place) } }
      await change(io, flags, plan, (index) => `${id} is in since index ${index}`)
    })
}

function addRemove(members: Command, io: Io): void {
  client(members, 'remove <id>', 'have a server leave').action(
    async (id: string, flags: Common) => {
      const path = `/members/${encodeURIComponent(id)}`
      const answer = await patiently({ method: 'DELETE', path }, io, flags)
      print(io, flags, jsonIn<Changed>(answer), ({ index }) => `${id} is out since index ${index}`)
    },
  )
}

function addPromote(members: Command, io: Io): void {
  client(members, 'promote <id>', 'give a learner a vote').action(
    async (id: string, flags: Common) => {
      await change(io, flags, { voters: [id] }, (index) => `${id} votes since index ${index}`)
    },
  )
}

function addPriority(members: Command, io: Io): void {
  client(members, 'priority <id>', 'have a server lead rather than those of a lower priority')
    .argument('<number>', `0 (as in the beginning) to ${HIGHEST_PRIORITY}`, reads(parsePriority))
    .action(async (id: string, priority: number, flags: Common) => {
      const told = (index: number): string => `${id} has priority ${priority} since index ${index}`
      await change(io, flags, { priorities: { [id]: priority } }, told)
    })
}

async function change(
  io: Io,
  flags: Common,
  plan: Plan,
  told: (index: number) => string,
): Promise<void> {
  const body = Buffer.from(JSON.stringify(plan))
  const answer = await patiently({ method: 'POST', path: '/members', body }, io, flags)
  print(io, flags, jsonIn<Changed>(answer), ({ index }) => told(index))
}

/** Milliseconds that a server may be silent, which tells every 15 s that it is still there. */
const SILENCE = 40_000

/** Waits as long as it takes, and tells how it goes. */
function patiently(question: Ask, io: Io, { servers }: Common): Promise<Answer> {
  const headers = { accept: 'text/event-stream' }
  const hear = (event: ServerSent): void => {
    const line = progressIn(event)
    if (line !== undefined) io.err(`${line}\n`)
  }
  return ask({ ...question, headers, hear }, { servers, timeout: SILENCE })
}

function progressIn({ event, data }: ServerSent): string | undefined {
  if (event !== 'progress') return undefined
  const { type, left } = JSON.parse(data) as { readonly type: string; readonly left?: number }
  return type === 'catchingUp'
    ? `catching up: ${left} entries left`
    : 'waiting for a majority of the old voters, and of the new'
}

interface Membership extends Changed {
  readonly leader: string | null
}

function addListing(members: Command, io: Io): void {
  client(members, 'list', 'who is in the cluster').action(async (flags: Common) => {
    const answer = await ask({ method: 'GET', path: '/members' }, flags)
    print(io, flags, jsonIn<Membership>(answer), ({ members, leader }) =>
      members.map((member) => line(member, leader)).join('\n'),
    )
  })
}

function line(
  { id, role, peer = '?', http = '?', priority }: Listed,
  leader: string | null,
): string {
  const place = `${id}  ${id === leader ? 'leader' : role}  ${peer}  ${http}`
  return priority === undefined ? place : `${place}  priority ${priority}`
}

function addTransfer(program: Command, io: Io): void {
  client(
    program,
    'transfer [id]',
    'have another server lead: this one, or whoever can best',
  ).action(async (to: string | undefined, flags: Common) => {
    const body = Buffer.from(JSON.stringify({ to }))
    const answer = await ask({ method: 'POST', path: '/transfer', body }, flags)
    print(io, flags, jsonIn<{ readonly leader: string }>(answer), ({ leader }) => `${leader} leads`)
  })
}

interface Taken {
  readonly server: string
  readonly index?: number
  readonly error?: string
}

function addSnapshot(program: Command, io: Io, exit: Exit): void {
  client(program, 'snapshot', 'have each of the servers take a snapshot now').action(
    async (flags: Common) => {
      const all = await Promise.all(flags.servers.map((server) => takeOne(server)))
      print(io, flags, all, () =>
        all
          .map(({ server, index, error }) => `${server}  ${error ?? `through ${index}`}`)
          .join('\n'),
      )
      if (all.some(({ error }) => error !== undefined)) exit(FAILED)
    },
  )
}

async function takeOne(server: string): Promise<Taken> {
  try {
    const question = { method: 'POST', path: '/snapshot' } as const
    const answer = await ask(question, { servers: [server], patience: 0, timeout: 600_000 })
    return { server, ...jsonIn<{ readonly index: number }>(answer) }
  } catch (error) {
    return { server, error: error instanceof Error ? error.message : String(error) }
  }
}
