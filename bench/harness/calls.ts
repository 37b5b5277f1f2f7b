import type { ChildProcess } from 'node:child_process'

/** What may be called in another process: it takes and gives plain data. */
export type Functions<T> = { readonly [K in keyof T]: (...args: never[]) => unknown }

type Result<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never

interface Call {
  readonly ticket: number
  readonly name: string
  readonly args: unknown[]
}

interface Reply {
  readonly ticket: number
  readonly value?: unknown
  /** Why there is no value. */
  readonly reason?: string
}

/** Answers what the parent calls, with these functions. */
export function answerCalls<T extends Functions<T>>(functions: T): void {
  process.on('message', ({ ticket, name, args }: Call) => {
    const reply = (given: Omit<Reply, 'ticket'>): void => void process.send!({ ticket, ...given })
    const called = functions[name as keyof T] as unknown as (...args: unknown[]) => unknown
    new Promise((done) => done(called(...args))).then(
      (value) => reply({ value }),
      (error: unknown) => reply({ reason: String(error) }),
    )
  })
}

/** So long, in ms, a call may take. */
const PATIENCE = 120_000

/** Calls functions of a child. Rejects when they throw, and when the child ends before it has answered. */
export class Caller<T extends Functions<T>> {
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  #ticket = 0

  constructor(private readonly child: ChildProcess) {
    child.on('message', (reply: Reply) => this.#settle(reply))
    child.on('exit', (code, signal) => {
      const reason = `its process has ended with ${code ?? signal}`
      for (const ticket of this.#waiting.keys()) this.#settle({ ticket, reason })
    })
  }

  call<K extends keyof T & string>(name: K, ...args: Parameters<T[K]>): Promise<Result<T[K]>> {
    const ticket = this.#ticket++
    return new Promise((done, fail) => {
      const reason = `no answer in ${PATIENCE} ms`
      const alarm = setTimeout(() => this.#settle({ ticket, reason }), PATIENCE)
      this.#waiting.set(ticket, ({ value, reason }) => {
        clearTimeout(alarm)
        if (reason === undefined) done(value as Result<T[K]>)
        else fail(new Error(`${name}: ${reason}`))
      })
      this.child.send({ ticket, name, args } satisfies Call)
    })
  }

  #settle(reply: Reply): void {
    this.#waiting.get(reply.ticket)?.(reply)
    this.#waiting.delete(reply.ticket)
  }
}
