import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { processIo } from '../../kv/io.ts'
import { run as program } from '../../kv/program.ts'
import { blocksOf, broken, commandsOf, documents, isRunnable, promises } from './blocks.ts'
import { run, typeErrors } from './run.ts'

const blocks = documents().flatMap((file) => blocksOf(file))
const runnable = blocks.filter(isRunnable).map((block) => ({ ...block, at: at(block) }))
const commands = blocks
  .filter((block) => ['bash', 'sh', 'shell', 'console'].includes(block.language))
  .flatMap((block) => commandsOf(block).map((command) => ({ command, at: at(block) })))

function at({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${file}:${line}`
}

/** What `rxraft --help` says. */
async function usage(): Promise<string> {
  let said = ''
  await program(['--help'], { ...processIo, out: (text) => void (said += String(text)) }, 'rxraft')
  return said
}

describe('the TypeScript in the documents', () => {
  it('is there', () => {
    expect(runnable.filter(({ file }) => file === 'README.md')).not.toEqual([])
  })

  it('has the right types', { timeout: 60_000 }, () => {
    expect(typeErrors(runnable)).toEqual([])
  })

  it.each(runnable)('runs and ends: $at', async ({ code }) => {
    const result = await run(code)
    expect(result, result.stderr).toMatchObject({ code: 0 })
    expect(broken(promises(code), result.stdout), result.stdout).toEqual([])
  })
})

describe('the commands in the documents', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: Readonly<Record<string, string>>
  }

  it('open the README: how to start and how to test', () => {
    const first = blocks.find(({ file }) => file === 'README.md')
    expect(first === undefined ? [] : commandsOf(first)).toEqual(
      expect.arrayContaining(['npm start', 'npm test']),
    )
  })

  it.each(commands)('exist: $command ($at)', async ({ command }) => {
    const script = /^npm (?:run )?([\w:-]+)/.exec(command)?.[1]
    if (
      script !== undefined &&
      !['install', 'i', 'ci', 'pack', 'create', 'init'].includes(script)
    ) {
      expect(Object.keys(scripts)).toContain(script)
    }
    const subcommand = /^(?:npx )?rxraft ([a-z][\w-]*)/.exec(command)?.[1]
    if (subcommand !== undefined) expect(await usage()).toMatch(`\n  ${subcommand} `)
  })
})

describe('the check of the documents', () => {
  const block = (code: string) => ({ file: 'README.md', line: 1, language: 'ts', marks: [], code })

  it('lets pass what runs and prints what it promises', async () => {
    const code = `import { of } from 'rxjs'\nof(1, 2).subscribe((n) => console.log(n)) // → 1\n// → 2`
    const { code: exit, stdout } = await run(code)
    expect(exit).toBe(0)
    expect(broken(promises(code), stdout)).toEqual([])
    expect(typeErrors([block(code)])).toEqual([])
  })

  it.each([
    ['a throw', `throw new Error('planted')`, 'planted'],
    ['an unhandled rejection', `void Promise.reject(new Error('planted'))`, 'planted'],
    [
      'an error that nobody hears',
      `import { throwError } from 'rxjs'\nthrowError(() => new Error('planted')).subscribe()`,
      'planted',
    ],
    ['an import that is not there', `import 'rxraft/storage/nowhere'`, 'rxraft'],
  ])('refuses %s', async (_, code, said) => {
    const { code: exit, stderr } = await run(code)
    expect(exit).not.toBe(0)
    expect(stderr).toContain(said)
  })

  it('refuses what does not end by itself', async () => {
    expect(await run('setInterval(() => {}, 1000)', 1_500)).toMatchObject({ code: null })
  })

  it('refuses a promise that is not kept', () => {
    expect(broken(['1', '2'], '2\n1\n')).toEqual(['2'])
  })

  it('refuses a wrong type', () => {
    expect(typeErrors([block(`const n: number = 'one'`)])).toEqual([
      expect.stringMatching(/^README\.md-1\.ts, line 1 of the block: Type 'string'/),
    ])
  })

  it('refuses a block without an end', () => {
    expect(() => blocksOf('README.md', '```ts\nconst a = 1')).toThrow('README.md:1')
  })
})
