import { Option, type Command } from 'commander'
import { ConfigError } from 'rxraft'
import { refound, type Refounded } from 'rxraft/storage/file'
import { formatPlace, parseMember, type Member } from './addresses.ts'
import { reads } from './arguments.ts'
import type { Io } from './io.ts'

interface Flags {
  readonly data: string
  readonly unsafeNewCluster: string
  readonly member: Member
  readonly yes?: true
  readonly json?: true
}

export function addRecoverCommand(program: Command, io: Io): void {
  const command = program
    .command('recover')
    .description('make a new cluster of one out of what is left of a lost one; may lose writes')
    .requiredOption('--data <directory>', 'where the log of the server that is left is kept')
    .requiredOption('--unsafe-new-cluster <name>', 'what the new cluster is called')
    .addOption(
      new Option('--member <member>', 'that server: ID=HOST:PORT,http://HOST:PORT')
        .argParser(reads(parseMember))
        .makeOptionMandatory(),
    )
    .option('--yes', 'do it; without this it is only told what would be done')
    .option('--json', 'print JSON')
  command.action(async ({ data, unsafeNewCluster, member, yes, json }: Flags) => {
    const refounded = await refound(data, {
      ...{ cluster: unsafeNewCluster, id: member.id, address: formatPlace(member) },
      dryRun: yes !== true,
    }).catch((error: unknown) => {
      if (!(error instanceof ConfigError) || error.option !== 'cluster') throw error
      return command.error(`error: option '--unsafe-new-cluster' is invalid: ${error.message}`)
    })
    if (json) io.out(`${JSON.stringify(refounded)}\n`)
    else for (const line of lines(refounded, member)) io.out(`${line}\n`)
  })
}

/** What a person has to know before, and after. */
function lines(refounded: Refounded, { id }: Member): string[] {
  const { directory, from, cluster, last, snapshotIndex, oldTerm, term, backup } = refounded
  const old = from === undefined ? 'a cluster whose name it does not say' : `cluster "${from}"`
  const unsure = snapshotIndex === 0 ? 'any of them' : `those after ${snapshotIndex}`
  const told = [
    `${directory} is of ${old}, in term ${oldTerm}; its last entry is ${last.index}, of term ${last.term}`,
    'What may be lost: every write that only servers which are gone had. Nothing here tells whether there is',
    `  any: if one of them had an entry after ${last.index}, it is gone, also when its client was told that it was written.`,
    `What may appear: all entries here are kept. Whether ${unsure} were committed is not known; a write`,
    '  whose client was told nothing may take effect now.',
    `What must not be: a server of the old cluster that serves on. Whoever of it comes back is refused by "${cluster}",`,
    '  but a majority of them would go on without you. Recover one server only; the others join it under new ids.',
  ]
  if (backup === undefined) {
    return [...told, `Nothing was changed. With --yes, ${id} alone becomes cluster "${cluster}".`]
  }
  return [
    ...told,
    `Done: ${id} alone is cluster "${cluster}" from term ${term} on. The files as they were: ${backup}`,
    `Start it with --cluster ${cluster}, and let others join it.`,
  ]
}
