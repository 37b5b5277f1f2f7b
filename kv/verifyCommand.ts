import type { Command } from 'commander'
import { verify, type Problem, type Verification } from 'rxraft/storage/file'
import { FAILED, type Io } from './io.ts'

export function addVerifyCommand(program: Command, io: Io, exit: (status: number) => void): void {
  program
    .command('verify <directory>')
    .description("read every checksum of a server's directory; changes nothing")
    .option('--json', 'print JSON')
    .action(async (directory: string, { json }: { readonly json?: true }) => {
      const verification = await verify(directory)
      const { inspection, problems } = verification
      if (json) io.out(`${JSON.stringify(verification)}\n`)
      else if (problems.length === 0) io.out(`${summary(directory, verification)}\n`)
      else for (const problem of problems) io.err(`${told(problem)}\n`)
      if (problems.length > 0 || inspection?.logId === undefined) exit(FAILED)
    })
}

function summary(directory: string, { inspection }: Verification): string {
  if (inspection?.logId === undefined) return `${directory} holds no log`
  const { segments, snapshot, torn } = inspection
  const records = segments.reduce((sum, it) => sum + it.records, 0)
  const kept = snapshot === undefined ? 'no snapshot' : `a snapshot of ${snapshot.size} bytes`
  const end = torn === undefined ? '' : `; ${torn.file} is torn at offset ${torn.offset}`
  return `${directory} is in order: segments ${segments.length}, records ${records}, ${kept}${end}`
}

const told = ({ file, offset, reason, remedy }: Problem): string =>
  `${file} at offset ${offset}: ${reason}. ${remedy}.`
