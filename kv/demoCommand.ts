import type { Command } from 'commander'
import { fromEvent, lastValueFrom, merge, takeUntil, tap } from 'rxjs'
import { happenings, startAll, stopAll } from './demo.ts'
import type { Io } from './io.ts'

export function addDemoCommand(program: Command, io: Io, file: string): void {
  program
    .command('demo')
    .description('run a cluster of three on this machine')
    .option('--data <directory>', 'where the servers keep their logs', 'data')
    .action(async ({ data }: { readonly data: string }) => {
      const say = (text: string): void => io.out(`${text}\n`)
      const stop$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'))
      const servers = await startAll(file, data)
      say(`three servers are starting, with their data in ${data}`)
      for (const { member, child } of servers) {
        say(`  ${member.id}  ${member.http}  process ${child.pid}`)
      }
      await lastValueFrom(happenings(servers).pipe(tap(say), takeUntil(stop$)), {
        defaultValue: '',
      })
      say('stopping')
      await stopAll(servers)
    })
}
