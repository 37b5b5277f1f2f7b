import { execFileSync } from 'node:child_process'

/** Runs a program to its end; throws with what it said when it fails. */
export function run(program: string, args: readonly string[], input = ''): string {
  return execFileSync(program, args, { input, encoding: 'utf8', stdio: 'pipe', timeout: 20_000 })
}

/** Why something does not work here: the first line of what it said; `undefined` when it works. */
export function whyNot(attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    const { code, stderr, path } = error as NodeJS.ErrnoException & { stderr?: string }
    if (code === 'ENOENT' && path !== undefined) return `there is no ${path}`
    const said = stderr?.trim() || (error as Error).message
    return said.split('\n')[0]!
  }
}
