import { createHash } from 'node:crypto'
import { constants, promises as fs } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { DirectoryLocked, StorageError } from '../../../lib/errors.ts'

/** Frees what was claimed. */
type Release = () => Promise<void>

/** Who has a directory in this process. */
interface Holder {
  readonly isLeaving: () => boolean
  readonly left: Promise<void>
}

const holders = new Map<string, Holder>()

/**
 * Claims a directory for this subscription alone, in this process and among all others of the machine;
 * resolves with what frees it. Rejects with `DirectoryLocked`, except that a holder in this process which
 * `isLeaving` is waited for.
 *
 * The kernel keeps the claim and drops it when the process dies, however it dies: there is nothing stale
 * to clean up and no process id to mistake. Linux: an abstract socket named after the directory's device
 * and inode, which two starters cannot both bind; because such names are private to a network namespace,
 * a socket in the directory also tells containers that share a volume of each other. Windows: a named
 * pipe. macOS and the BSDs: an exclusively locked file.
 *
 * Limits: on a network file system only processes of one machine see each other; on Linux, two
 * containers that start within the same few milliseconds may not; another user of the machine could
 * bind the name first, which keeps the node from starting and does no other harm.
 */
export async function lockDirectory(directory: string, isLeaving: () => boolean): Promise<Release> {
  const { dev, ino } = await fs.stat(directory, { bigint: true })
  const key = `${dev}:${ino}`
  for (let holder = holders.get(key); holder !== undefined; holder = holders.get(key)) {
    if (!holder.isLeaving()) throw new DirectoryLocked(directory)
    await holder.left
  }
  let leave = (): void => {}
  const left = new Promise<void>((resolve) => (leave = resolve))
  holders.set(key, { isLeaving, left })
  const forget = (): void => {
    holders.delete(key)
    leave()
  }
  try {
    const release = await claim(directory, key)
    return () => release().finally(forget)
  } catch (error) {
    forget()
    throw error
  }
}

/**
 * Whether somebody has a directory, as far as can be seen without claiming it; `undefined` where nothing
 * can.
 */
export async function isHeld(directory: string): Promise<boolean | undefined> {
  const { dev, ino } = await fs.stat(directory, { bigint: true })
  const key = `${dev}:${ino}`
  if (holders.has(key)) return true
  switch (process.platform) {
    case 'linux':
    case 'android':
      return (await answers(abstract(nameOf(key)))) || (await isLit(directory))
    case 'win32':
      return answers(pipe(nameOf(key)))
    default:
      return undefined
  }
}

const nameOf = (key: string): string => `rxraft-${createHash('sha256').update(key).digest('hex')}`

/** Filled up to the 108 bytes of an address, because versions of Node differ in padding a shorter name. */
const abstract = (name: string): string => `\0${name.padEnd(107, '-')}`

const pipe = (name: string): string => `\\\\.\\pipe\\${name}`

function claim(directory: string, key: string): Promise<Release> {
  const name = nameOf(key)
  switch (process.platform) {
    case 'linux':
    case 'android':
      return claimOnLinux(directory, name)
    case 'win32':
      return claimName(directory, pipe(name))
    case 'darwin':
    case 'freebsd':
    case 'netbsd':
    case 'openbsd':
      return claimFile(directory)
    default:
      throw new StorageError(`${directory} cannot be locked on ${process.platform}`)
  }
}

async function claimOnLinux(directory: string, name: string): Promise<Release> {
  const release = await claimName(directory, abstract(name))
  try {
    const quench = await lightBeacon(directory)
    return () => quench().finally(release)
  } catch (error) {
    await release()
    throw error
  }
}

async function claimName(directory: string, path: string): Promise<Release> {
  try {
    return await listen(path)
  } catch (error) {
    throw codeOf(error) === 'EADDRINUSE' ? new DirectoryLocked(directory) : error
  }
}

/**
 * Listens on a socket in the directory, for those who cannot see the abstract one. A socket that nobody
 * answers on was left by a dead process. Where sockets cannot be made, there is none.
 */
async function lightBeacon(directory: string): Promise<Release> {
  const handle = await fs.open(directory)
  // By its descriptor: the address of a socket has no room for a long path.
  const path = `/proc/self/fd/${handle.fd}/lock`
  try {
    if (await answers(path)) throw new DirectoryLocked(directory)
    await fs.unlink(path).catch(() => {})
    const quench = await listen(path).catch(() => () => Promise.resolve())
    return () => quench().finally(() => handle.close())
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Whether somebody listens on the socket in the directory. */
async function isLit(directory: string): Promise<boolean> {
  const handle = await fs.open(directory)
  try {
    return await answers(`/proc/self/fd/${handle.fd}/lock`)
  } finally {
    await handle.close()
  }
}

/** The flag of open(2) with which it takes a lock. */
const O_EXLOCK = 0x20

async function claimFile(directory: string): Promise<Release> {
  const { O_RDWR, O_CREAT, O_NONBLOCK } = constants
  try {
    const handle = await fs.open(join(directory, 'lock'), O_RDWR | O_CREAT | O_NONBLOCK | O_EXLOCK)
    return () => handle.close()
  } catch (error) {
    throw codeOf(error) === 'EAGAIN' ? new DirectoryLocked(directory) : error
  }
}

/** Binds a name; it does not keep the process alive. */
function listen(path: string): Promise<Release> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.on('error', reject)
    // A worker of a cluster would else share the primary's socket with the other workers.
    server.listen({ path, exclusive: true }, () => resolve(() => close(server)))
    server.unref()
  })
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()))

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const answer = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', answer(true))
    // Somebody listens who is too busy, or stopped, to accept.
    socket.once('error', (error) => answer(codeOf(error) === 'EAGAIN')())
  })
}

const codeOf = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code
