import { Option, type Command } from 'commander'
import { DEMO, parseServer } from './addresses.ts'
import { parseWhole, reads } from './arguments.ts'
import { call, type ClientOptions } from './client.ts'
import { Refused, type Answer, type Ask } from './exchange.ts'
import type { Io } from './io.ts'

/** What every command that asks servers takes. */
export interface Common {
  readonly servers: readonly string[]
  readonly json?: true
}

export function client(program: Command, usage: string, description: string): Command {
  return program
    .command(usage)
    .description(description)
    .addOption(
      new Option('--servers <addresses>', 'where servers are, comma-separated')
        .env('RXRAFT_SERVERS')
        .argParser(reads((text) => text.split(',').map((server) => parseServer(server.trim()))))
        .default(
          DEMO.map(({ http }) => http),
          'those of the demo',
        ),
    )
    .option('--json', 'print JSON')
}

export const whole = (flags: string, description: string): Option =>
  new Option(flags, description).argParser(reads(parseWhole))

/** Asks, and takes a refusal for an error. */
export async function ask(question: Ask, options: ClientOptions): Promise<Answer> {
  const answer = await call(question, options)
  if (answer.status >= 400) throw new Refused(answer)
  return answer
}

export const jsonIn = <T>({ body }: Answer): T => JSON.parse(body.toString()) as T

export function print<T>(io: Io, { json }: Common, value: T, human: (value: T) => string): void {
  const text = json === undefined ? human(value) : JSON.stringify(value)
  if (text !== '') io.out(`${text}\n`)
}
