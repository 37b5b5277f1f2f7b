import type { Command } from 'commander'
import { inspect, type Inspection } from 'rxraft/storage/file'
import { FAILED, type Io } from './io.ts'

export function addInspectCommand(program: Command, io: Io, exit: (status: number) => void): void {
  program
    .command('inspect <directory>')
    .description("tell what a server's directory holds; changes nothing")
    .option('--json', 'print JSON')
    .action(async (directory: string, { json }: { readonly json?: true }) => {
      const inspection = await inspect(directory)
      if (json) io.out(`${JSON.stringify(inspection)}\n`)
      else
        io.out(
          lines(inspection)
            .map((line) => `${line}\n`)
            .join(''),
        )
      if (inspection.logId === undefined) exit(FAILED)
    })
}

/** What a person reads of it, line by line. */
function lines(inspection: Inspection): string[] {
  const { directory, logId, cluster, isHeld, term, vote, entries, terms, torn } = inspection
  if (logId === undefined) return [`${directory} holds no log`]
  const told = [
    `${directory}  log ${logId}${isHeld ? ', in use: what is being written may look torn' : ''}`,
    `cluster   ${cluster ?? 'not said'}`,
    `ballot    term ${term}, ${vote === undefined ? 'no vote' : `vote for ${vote}`}`,
    `entries   ${entries === undefined ? 'none' : `${entries.first} to ${entries.last}`}`,
    ...terms.map((it) => `          term ${it.term} from ${it.index}`),
    `snapshot  ${snapshotLine(inspection)}`,
    ...segmentLines(inspection),
  ]
  if (torn === undefined) return told
  const { file, offset, reason } = torn
  return [...told, `torn      ${file} at offset ${offset}: ${reason}; the next start cuts it off`]
}

function snapshotLine({ snapshot }: Inspection): string {
  if (snapshot === undefined) return 'none'
  const { index, term, members, size, file } = snapshot
  return `through ${index} in term ${term}, of ${members.voters.join(', ')}, ${size} bytes: ${file}`
}

const segmentLines = ({ segments }: Inspection): string[] =>
  segments.map(({ file, records, size, used }) => {
    return `segment   ${file}: ${records} records, ${used} of ${size} bytes`
  })
