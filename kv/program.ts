import { Command, CommanderError } from 'commander'
import { ConfigError, RaftError } from 'rxraft'
import { addClientCommands } from './clientCommands.ts'
import { addClusterCommands } from './clusterCommands.ts'
import { addDemoCommand } from './demoCommand.ts'
import { addInspectCommand } from './inspectCommand.ts'
import { FAILED, MISUSED, OK, REMOVED, type Io } from './io.ts'
import { addRecoverCommand } from './recoverCommand.ts'
import { Removed } from './removal.ts'
import { addServeCommand, flagOf } from './serveCommand.ts'
import { addVerifyCommand } from './verifyCommand.ts'

/**
 * Runs one command line and answers with its exit code: 0 when it did what it says, 1 when it failed
 * or found nothing, 2 when it was misused, 3 when it is a server that its cluster has removed. `file` is what starts this program again.
 */
export async function run(args: readonly string[], io: Io, file: string): Promise<number> {
  let code = OK
  const exit = (status: number): void => {
    code = status
  }
  const program = new Command('rxraft')
    .description('A replicated key-value store, and its client')
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showHelpAfterError('(--help tells what there is)')
  addServeCommand(program, io)
  addClientCommands(program, io, exit)
  addClusterCommands(program, io, exit)
  addDemoCommand(program, io, file)
  addInspectCommand(program, io, exit)
  addVerifyCommand(program, io, exit)
  addRecoverCommand(program, io)
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    return failed(error, io)
  }
}

/** Commander has told its own errors when it throws them. */
function failed(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? OK : MISUSED
  if (error instanceof ConfigError) {
    io.err(`error: option '${flagOf(error.option)}' is invalid: ${error.message}\n`)
    return MISUSED
  }
  // By its code a supervisor tells what has stopped a server.
  const code = error instanceof RaftError ? `${error.code}: ` : ''
  io.err(`rxraft: ${code}${error instanceof Error ? error.message : String(error)}\n`)
  return error instanceof Removed ? REMOVED : FAILED
}
