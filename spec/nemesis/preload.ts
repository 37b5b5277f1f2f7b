import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './command.ts'

/** What is loaded into the servers before anything else, where this machine has it. */
export interface Libraries {
  readonly shim?: string
  readonly faketime?: string
}

/** Compiles the shim that makes flushes fail. Throws where there is no compiler. */
export function compileShim(directory: string): string {
  const library = join(directory, 'shim.so')
  const source = fileURLToPath(new URL('shim.c', import.meta.url))
  run('gcc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl'])
  return library
}

/** Where Debian puts libfaketime, the one for processes with threads. Throws where it is not installed. */
export function findFaketime(): string {
  const folders = ['/usr/lib', ...readdirSync('/usr/lib').map((name) => join('/usr/lib', name))]
  const paths = folders.map((folder) => join(folder, 'faketime/libfaketimeMT.so.1'))
  const found = paths.find((path) => existsSync(path))
  if (found === undefined) throw new Error('libfaketime is not installed')
  return found
}

/** The strings of one server's puppet: what it is told through files, while it runs. */
export class Strings {
  readonly #clock: string
  readonly #switch: string
  readonly #count: string

  constructor(
    directory: string,
    id: string,
    private readonly libraries: Libraries,
  ) {
    this.#clock = join(directory, `${id}.clock`)
    this.#switch = join(directory, `${id}.switch`)
    this.#count = join(directory, `${id}.count`)
    this.setClock('+0')
  }

  environment(): Record<string, string> {
    const { shim, faketime } = this.libraries
    const preload = [shim, faketime].filter((library) => library !== undefined)
    return {
      ...(preload.length === 0 ? {} : { LD_PRELOAD: preload.join(':') }),
      NEMESIS_SWITCH: this.#switch,
      NEMESIS_COUNT: this.#count,
      FAKETIME_TIMESTAMP_FILE: this.#clock,
      FAKETIME_CACHE_DURATION: '1',
      // Node measures time-outs with it: a wall clock that jumps is a fault, this would be another.
      DONT_FAKE_MONOTONIC: '1',
    }
  }

  /** Has the wall clock show another time, as libfaketime reads it: `+3600`, `-7200 x10`. */
  setClock(offset: string): void {
    writeFileSync(`${this.#clock}.new`, `${offset}\n`)
    renameSync(`${this.#clock}.new`, this.#clock)
  }

  /** From now on flushes fail: `fails` before anything is written, `lies` after it was. */
  failFlushes(how: 'fails' | 'lies'): void {
    writeFileSync(this.#switch, how === 'fails' ? '' : how)
  }

  mendFlushes(): void {
    rmSync(this.#switch, { force: true })
  }

  /** How often a flush has failed so far. */
  get failedFlushes(): number {
    return existsSync(this.#count) ? statSync(this.#count).size : 0
  }
}
