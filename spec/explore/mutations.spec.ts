import { describe, expect, it } from 'vitest'
import { reduce } from '../../lib/step.ts'
import { explore } from './explore.ts'
import { mutated } from './mutate.ts'
import { planted } from './mutations.ts'
import { schedule } from './schedule.ts'

describe('the explorer finds', () => {
  it.each(planted)('$name', { timeout: 120_000 }, async ({ bounds, via, watch, ...mutation }) => {
    const limits = { watch, ...(via !== undefined && { via }) }
    const { violation, depth } = explore(await mutated(mutation), bounds, limits)
    expect(violation?.findings.map(({ invariant }) => watch.includes(invariant))).toContain(true)
    expect(schedule(violation!).at(-1)).toContain('VIOLATED')
    // As far as the defect lies, the engine as it is does nothing wrong.
    const further = via === undefined ? depth + 1 : 4
    expect(explore(reduce, bounds, { ...limits, depth: further }).violation).toBeUndefined()
  })
})

it('a defect that no longer fits the source is refused', async () => {
  const mutation = { file: 'quorum.ts', text: 'what stands nowhere', by: '' }
  await expect(mutated(mutation)).rejects.toThrow('0 times')
})
