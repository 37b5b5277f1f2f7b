import { execFile } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { MakeChecker } from '../../testing/checkers/observation.ts'
import { simulate } from '../../testing/simulation/simulate.ts'
import { explain } from './cli/failure.ts'
import { parseOptions } from './cli/options.ts'
import { add, nothing, summaryOf } from './cli/totals.ts'

const run = (...args: string[]) =>
  promisify(execFile)('node', [
    'spec/simulation/cli/run.js',
    'spec/simulation/cli/main.ts',
    ...args,
  ])

/** Breaks its rule with the first crash by a fault: after the healing the leader is started anew anyway. */
const noCrash: MakeChecker = (violate) => {
  let isHealed = false
  return {
    name: 'no crash',
    observe: ({ type }) => {
      if (type === 'healed') isHealed = true
      if (type === 'stopped' && !isHealed) violate('somebody crashed')
    },
  }
}

describe('the command line of the simulator', () => {
  it('runs seeds in several processes and ends with one line of JSON', async () => {
    const { stdout } = await run(
      ...['--seeds', '4', '--from', '3', '--nodes', '3', '--seconds', '3', '--json'],
    )
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>
    const expected = [3, 4, 5, 6]
      .map((seed) => summaryOf(simulate({ nodes: 3, seed, duration: 3_000 })))
      .reduce(add, nothing)
    expect(last).toEqual({
      seeds: 4,
      violations: 0,
      seedsPerMinute: expect.any(Number) as number,
      virtualSecondsPerSecond: expect.any(Number) as number,
      elections: expected.elections,
      commits: expected.commits,
      snapshots: expected.snapshots.taken + expected.snapshots.installed,
      faults: expected.faults,
    })
  })

  it('runs one seed in another process as in this one, byte for byte', async () => {
    const { stdout } = await run('--seed', '5', '--nodes', '3', '--seconds', '3')
    const { hash } = simulate({ nodes: 3, seed: 5, duration: 3_000 })
    expect(stdout).toContain(`seed 5, hash ${hash}\n`)
  })

  it('refuses what cannot be, with a sentence', async () => {
    await expect(run('--nodes', '10')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--nodes is 10') as string,
    })
  })

  it('has the defaults of a long run', () => {
    expect(parseOptions(['--jobs', '2'])).toMatchObject({ nodes: 5, seconds: 30, jobs: 2 })
    expect(parseOptions(['--jobs', '2']).seeds).toHaveLength(1000)
    expect(parseOptions(['--seed', '42'])).toMatchObject({ seeds: [42], jobs: 1 })
  })

  it('explains a failing seed: how to run it again, the least faults, and the trace in a file', () => {
    const seed = 999_999_999
    const file = `data/sim/seed-${seed}.txt`
    rmSync(file, { force: true })
    const told = explain({
      nodes: 3,
      seed,
      duration: 3_000,
      faults: { kinds: ['crash', 'pause'], every: 100 },
      administration: { changes: Infinity, transfers: Infinity },
      checkers: [noCrash],
    })
    expect(told).toContain(`npm run sim -- --seed ${seed} --nodes 3 --seconds 3\n`)
    expect(told).toMatch(/shrunk to 1\n {4}\{.*"type":"crash"/)
    expect(existsSync(file)).toBe(true)
    rmSync(file)
  })
})
