import { run } from '../../kv/program.ts'

/** Runs the program in this process: its exit code, and what it said. */
export async function rxraft(...args: string[]) {
  let out = ''
  let err = ''
  const io = {
    out: (text: string | Uint8Array) => void (out += Buffer.from(text as string).toString()),
    err: (text: string) => void (err += text),
    isTerminal: false,
    input: (async function* () {})(),
  }
  const code = await run(args, io, 'cli.js')
  return { code, out, err }
}
