import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

it(
  'the counter counts on three servers, and its process ends by itself',
  { timeout: 60_000 },
  async () => {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', 'examples/counter.ts'])
    expect(stdout).toMatch(/[abc] leads in term \d+/)
    expect(stdout).toContain('the leader answered: counted to 5')
    expect(stdout).toMatch(/[abc] says \{ count: 5 \}/)
  },
)
