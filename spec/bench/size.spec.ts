import { expect, it } from 'vitest'
import { minified } from '../../bench/size.ts'

it('counts what is in the entry, and not what it leaves to rxjs and msgpackr', async () => {
  const text = new TextDecoder().decode(await minified('operators/engine/index.ts'))
  expect(text).toMatch(/from"rxjs"/)
  expect(text).toMatch(/from"msgpackr"/)
  expect(text).toContain('electionTimeout')
  expect(text).not.toContain('createOperatorSubscriber')
})
