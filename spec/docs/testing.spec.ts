import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { blocksOf, isRunnable } from './blocks.ts'
import { typeErrors } from './run.ts'

const blocks = blocksOf('docs/testing.md').filter(({ language }) => language === 'ts')
const tests = blocks.filter(({ code }) => code.includes(`from 'vitest'`))

// Within the project, where `rxraft` means the sources and `vitest` is the one that runs this.
mkdirSync(resolve('coverage'), { recursive: true })
const folder = mkdtempSync(resolve('coverage', 'docs-testing-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the guide to testing', () => {
  it('shows nothing that is not run: a block is a test, or is run by itself', () => {
    const idle = blocks.filter((block) => !tests.includes(block) && !isRunnable(block))
    expect(idle.map(({ line }) => `docs/testing.md:${line}`)).toEqual([])
    expect(tests.length).toBeGreaterThan(3)
  })

  it('has the right types', { timeout: 60_000 }, () => {
    expect(typeErrors(tests)).toEqual([])
  })
})

// Imported while this file is collected, so that every `it` of the guide becomes one of this file.
for (const { line, code } of tests) {
  const file = join(folder, `line-${line}.ts`)
  writeFileSync(file, code)
  await import(pathToFileURL(file).href)
}

it('the example of a partition holds, without a test runner', { timeout: 60_000 }, async () => {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--import', 'tsx', 'examples/partition.ts'])
  expect(stdout).toContain('as it was drawn')
})
