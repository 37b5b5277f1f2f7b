import type { Index } from '../../lib/types.ts'
import { Lives } from './lives.ts'
import type { MakeChecker } from './observation.ts'

/** A change that expects another configuration than the one in force is refused where it is asked for. */
export const compareAndSet: MakeChecker = (violate) => {
  const lives = new Lives<{ index: Index }>(() => ({ index: 0 }))
  return {
    name: 'expected members',
    observe: (seen) => {
      if (seen.type !== 'step') return
      const { id, step } = seen
      const memory = lives.of(id, seen.life)
      for (const event of step.events) {
        if (event.type !== 'changeWanted' || event.plan.expected === undefined) continue
        const { ticket, plan } = event
        const isRefused = step.answers.some(
          (answer) => answer.type === 'unchanged' && answer.ticket === ticket,
        )
        if (plan.expected === memory.index || isRefused) continue
        violate(
          `${id} took a change of members ${plan.expected}, its members are of ${memory.index}`,
        )
      }
      memory.index = step.state.members.index
    },
  }
}
