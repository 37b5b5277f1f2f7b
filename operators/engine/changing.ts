import { Observable } from 'rxjs'
import { entriesLeft } from '../../lib/changes.ts'
import type { State } from '../../lib/state.ts'
import type { Index, Plan } from '../../lib/types.ts'
import { checkPlan } from './checks.ts'
import type { ChangeProgress } from './node.ts'
import type { Orders } from './orders.ts'

/** A change of members as an Observable of how far it has come. */
export const changing = (
  orders: Orders<Plan, Index>,
  state$: Observable<State>,
  plan: Plan,
): Observable<ChangeProgress> =>
  new Observable((subscriber) => {
    checkPlan(plan)
    let last = ''
    const show = (state: State): void => {
      const progress = progressIn(state)
      const key = JSON.stringify(progress)
      if (progress === undefined || key === last) return
      last = key
      subscriber.next(progress)
    }
    subscriber.add(
      orders.order(plan, {
        done: (index) => {
          subscriber.next({ type: 'done', index })
          subscriber.complete()
        },
        fail: (error) => subscriber.error(error),
      }),
    )
    if (!subscriber.closed) subscriber.add(state$.subscribe({ next: show, error: () => undefined }))
  })

function progressIn(state: State): ChangeProgress | undefined {
  const { role, members } = state
  if (role.type !== 'leader' || role.changing === undefined) return undefined
  if (members.outgoing.length > 0) return { type: 'joint' }
  const left = entriesLeft(state)
  return left > 0 ? { type: 'catchingUp', left } : undefined
}
