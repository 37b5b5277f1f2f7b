import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { defer, filter, ignoreElements, retry, switchMap, take, type Observable } from 'rxjs'
import type { Status } from 'rxraft'
import type { StoreNode } from './machine.ts'
import { listedMembers } from './memberList.ts'

/** An empty file in the directory of a server that has been in its cluster: whoever is not in any more was removed. */
const MARK = 'member'

/** Milliseconds until a disk that takes no mark is tried again. */
const PAUSE = 1_000

export const wasMember = (directory: string): boolean => existsSync(join(directory, MARK))

/** Marks the directory once the server knows that the cluster has it among its members. Emits nothing. */
export const mark = (node: StoreNode, directory: string): Observable<never> =>
  node.status$.pipe(
    filter(isMember),
    take(1),
    switchMap(() => defer(() => write(directory)).pipe(retry({ delay: PAUSE }))),
    ignoreElements(),
  )

const isMember = ({ id, members, commitIndex }: Status): boolean =>
  commitIndex > 0 &&
  members.index <= commitIndex &&
  listedMembers(members).some((member) => member.id === id)

async function write(directory: string): Promise<void> {
  const file = await open(join(directory, MARK), 'a')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
