import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { REMOVED } from '../../kv/io.ts'
import { inside, type Site } from './network.ts'
import type { Strings } from './preload.ts'

const cli = fileURLToPath(new URL('../../dist/kv/cli.js', import.meta.url))

/** The end of one life of a server. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last of what it printed. */
  readonly output: string
  /** Whether a fault accounts for it. */
  readonly isExcused: boolean
}

const OUTPUT_CHARACTERS = 8_000

/** Milliseconds until a server that died by itself is started again. */
const REVIVAL = 300

/** So often a removed server is started again, as by a supervisor that does not heed how it ended. */
const MAX_RESURRECTIONS = 2

/** One server of the cluster through all its lives. */
export class Server {
  readonly url: string
  /** The directory of its log. */
  readonly data: string
  readonly exits: Exit[] = []
  #life: { process: ChildProcess; exited: Promise<void>; isExcused: boolean } | undefined
  #holds = 0
  #excuses = 0
  /** How often it has said that its disk is full. */
  complaints = 0
  #output = ''
  #isDismissed = false
  #resurrections = 0
  #isClosed = false

  constructor(
    readonly id: string,
    readonly site: Site,
    /** Where its disk is mounted. */
    readonly disk: string,
    readonly strings: Strings,
    private readonly args: readonly string[],
    /** It votes, and keeps nothing of which it could tell. */
    readonly isWitness = false,
  ) {
    this.data = join(disk, id)
    this.url = `http://${site.host}:${site.httpPort}`
  }

  /** The end of what it has printed in its newest life. */
  get lastWords(): string {
    return this.#output.trim().split('\n').slice(-3).join(' | ')
  }

  get isRunning(): boolean {
    return this.#life !== undefined
  }

  start(): void {
    if (this.#life !== undefined || this.#isClosed) return
    const { site } = this
    const command = [process.execPath, cli, 'serve', '--id', this.id, '--data', this.data]
    const places = ['--listen', `${site.host}:${site.peerPort}`]
    const web = ['--http', `${site.host}:${site.httpPort}`]
    const [program, ...args] = inside(site, [...command, ...places, ...web, ...this.args])
    const child = spawn(program!, args, {
      // The channel: a server stops when the one that started it is gone.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...this.strings.environment() },
    })
    this.#output = ''
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        const text = chunk.toString()
        this.#output = (this.#output + text).slice(-OUTPUT_CHARACTERS)
        this.complaints += text.split(' is full: ').length - 1
      })
    }
    const exited = new Promise<void>((resolve) => {
      child.once('close', (code, signal) => {
        this.#died(code, signal, this.#output)
        resolve()
      })
    })
    this.#life = { process: child, exited, isExcused: this.#excuses > 0 }
  }

  /** Kills it at once and waits for its end. */
  async kill(): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    life.isExcused = true
    life.process.kill('SIGKILL')
    await life.exited
  }

  /** A server that is held stays down when it dies. The result starts it again, when it was the last. */
  hold(): () => void {
    this.#holds++
    return () => {
      this.#holds--
      if (this.#holds === 0) this.start()
    }
  }

  /** What runs before the excuse is over may fail, then or later: its disk has. */
  excuse(): () => void {
    this.#excuses++
    if (this.#life !== undefined) this.#life.isExcused = true
    return () => this.#excuses--
  }

  /** It is to leave the cluster: it may find itself removed from now on, and stop for that. */
  dismiss(): void {
    this.#isDismissed = true
  }

  signal(signal: NodeJS.Signals): void {
    this.#life?.process.kill(signal)
  }

  /** The state of the process as the kernel sees it: `T` for a stopped one. */
  get processState(): string | undefined {
    try {
      const stat = readFileSync(`/proc/${this.#life?.process.pid}/stat`, 'utf8')
      return stat.slice(stat.lastIndexOf(')') + 2)[0]
    } catch {
      return undefined
    }
  }

  /** Ends it for good, without a wait. */
  close(): void {
    this.#isClosed = true
    this.signal('SIGKILL')
  }

  /** Ends it for good, and waits for that. */
  async end(): Promise<void> {
    this.close()
    await this.#life?.exited
  }

  #died(code: number | null, signal: NodeJS.Signals | null, output: string): void {
    const isRemoved = this.#isDismissed && code === REMOVED
    const isExcused = isRemoved || (this.#life?.isExcused ?? false)
    this.#life = undefined
    if (this.#isClosed) return
    this.exits.push({ code, signal, output, isExcused })
    if (signal === 'SIGKILL' || (isRemoved && ++this.#resurrections > MAX_RESURRECTIONS)) return
    setTimeout(() => this.#holds === 0 && this.start(), REVIVAL)
  }
}
