import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { type Block } from './blocks.ts'

export interface Run {
  /** `undefined` when it had to be stopped because it did not end. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How long a block may take, in ms: it is meant to end by itself. */
const PATIENCE = 10_000

const TSX = pathToFileURL(resolve('node_modules/tsx/dist/loader.mjs')).href

/**
 * Runs TypeScript in a process of its own, in an empty folder in which `rxraft` means the sources:
 * a throw, an unhandled rejection and a handle left open all show.
 */
export async function run(code: string, patience = PATIENCE): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-docs-'))
  try {
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'), 'junction')
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    const tsconfig = { extends: resolve('tsconfig.json'), include: ['*.ts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
    writeFileSync(join(folder, 'block.ts'), code)
    return await execute(folder, patience)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function execute(folder: string, patience: number): Promise<Run> {
  const args = ['--import', TSX, 'block.ts']
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const alarm = setTimeout(() => child.kill('SIGKILL'), patience)
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (code) => {
      clearTimeout(alarm)
      if (code === null) stderr += `\nstill running after ${patience} ms: it should end by itself`
      done({ code, stdout, stderr })
    })
  })
}

/** What the compiler has to say about the blocks, as if they lay at the root of the project. */
export function typeErrors(blocks: readonly Block[]): string[] {
  const read = ts.readConfigFile('tsconfig.json', (file) => ts.sys.readFile(file))
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, resolve('.'))
  const virtual = new Map(blocks.map((block) => [pathOf(block), block.code + '\nexport {}\n']))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => virtual.has(path) || fileExists(path)
  host.readFile = (path) => virtual.get(path) ?? readFile(path)
  host.getSourceFile = (path, target, ...rest) => {
    const text = virtual.get(path)
    if (text === undefined) return getSourceFile.call(host, path, target, ...rest)
    return ts.createSourceFile(path, text, target)
  }
  const program = ts.createProgram([...virtual.keys()], options, host)
  return [...virtual.keys()].flatMap((path) => {
    const file = program.getSourceFile(path)
    const found = [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]
    return found.filter((it) => !UNUSED.has(it.code)).map(tell)
  })
}

/** An example may declare what it does not use: TS6133, TS6192, TS6196. */
const UNUSED = new Set([6133, 6192, 6196])

/** The program knows a block under the file and line that it comes from. */
const pathOf = ({ file, line }: Block): string =>
  resolve(`${file.replaceAll('/', '-')}-${line}.ts`).replaceAll('\\', '/')

function tell(diagnostic: ts.Diagnostic): string {
  const { file, start = 0, messageText } = diagnostic
  const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1
  const message = ts.flattenDiagnosticMessageText(messageText, ' ')
  return `${file?.fileName.split('/').pop()}, line ${line} of the block: ${message}`
}
