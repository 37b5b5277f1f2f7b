import { distinctUntilChanged, filter, map, Observable, pipe, type OperatorFunction } from 'rxjs'
import type { Notice } from '../../lib/storage.ts'
import { leaderOf, type State } from '../../lib/state.ts'
import type { Step } from '../../lib/turn.ts'
import type { Index, Members } from '../../lib/types.ts'
import type { Applied, Leader, RoleStatus, Status, Trace } from './node.ts'

/** What a node shows of itself: each view an operator from states or steps. */

export const leader: OperatorFunction<State, Leader | undefined> = pipe(
  map((state) => {
    const id = leaderOf(state)
    return id === undefined ? undefined : { id, term: state.term }
  }),
  distinctUntilChanged((a, b) => a?.id === b?.id && a?.term === b?.term),
)

export const role: OperatorFunction<State, RoleStatus> = pipe(
  filter(({ booted }) => booted),
  map(({ role: { type }, term }) => ({ role: type, term })),
  distinctUntilChanged((a, b) => a.role === b.role && a.term === b.term),
)

export const members: OperatorFunction<State, Members> = pipe(
  map((state) => state.members),
  distinctUntilChanged(),
)

export const status: OperatorFunction<State, Status> = map((state) => ({
  id: state.config.id,
  role: state.role.type,
  term: state.term,
  leader: leaderOf(state),
  commitIndex: state.commitIndex,
  appliedIndex: state.appliedIndex,
  lastIndex: state.log.lastIndex,
  snapshotIndex: state.snapshot?.index ?? 0,
  fingerprint: state.fingerprints.taken.at(-1),
  members: state.members,
}))

export const commits =
  <C, R>(): OperatorFunction<Step, Applied<C, R>> =>
  (steps) =>
    new Observable((subscriber) =>
      steps.subscribe({
        next: ({ applied }) => {
          for (const { outcomes } of applied) {
            for (const outcome of outcomes) subscriber.next(outcome as Applied<C, R>)
          }
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    )

export const restored: OperatorFunction<Step, Index> = (steps) =>
  flatten(steps, ({ restore }) => (restore?.isLast === true ? [restore.mark.index] : []))

export const trace: OperatorFunction<Step, Trace> = (steps) =>
  flatten(steps, (step): Trace[] => [
    ...step.events.filter(
      (event): event is Extract<typeof event, Notice> => event.type === 'notice',
    ),
    { type: 'step', step },
  ])

/** `concatMap` over arrays, without an inner Observable for each. */
function flatten<T, U>(source: Observable<T>, expand: (value: T) => readonly U[]): Observable<U> {
  return new Observable((subscriber) =>
    source.subscribe({
      next: (value) => {
        for (const item of expand(value)) subscriber.next(item)
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    }),
  )
}
