import { describe, it } from 'vitest'
import { marbles } from '../operators/support.ts'
import { appliedBy, sets, three, write } from './support.ts'

const priorities = { c: 1 }

describe('a server with a priority', () => {
  it('campaigns first, however patient it is', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      // Patience is 6, 8 and 11 ms; for `a` and `b` 6 ms more.
      const end = '  -------------------------|'
      const leads = 'n--------------c---------|'
      const servers = three(scheduler, { priorities })
      expectObservable(servers.leaders$).toBe(leads, sets)
      servers.connect(hot(end))
    })
  })

  it('is not waited for when it is down, and leads again when it has kept up for ten timeouts', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const crash$ = hot('  --------------------c-----------------------------')
      const restart$ = hot('----------------------------------------c---------')
      const words = '       ---------------------------------------------x----'
      const leads = '       n--------------c----n--------------a 141ms nc 21ms |'
      const byB = '         --------------------------------------------------x 149ms |'
      const end = '         50ms 150ms |'
      const servers = three(scheduler, { priorities, crash$, restart$ })
      expectObservable(servers.leaders$).toBe(leads, sets)
      expectObservable(appliedBy(servers, 'b')).toBe(byB)
      write(servers, 'a', hot(words))
      servers.connect(hot(end))
    })
  })
})
