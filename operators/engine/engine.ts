import { scan, type OperatorFunction } from 'rxjs'
import type { Event } from '../../lib/events.ts'
import { booting } from '../../lib/state.ts'
import { reduce } from '../../lib/step.ts'
import { begin, finish, type Step } from '../../lib/turn.ts'
import { isUnhurried } from '../../lib/unhurried.ts'
import { apply } from './apply.ts'
import type { Application } from './application.ts'
import { deliver } from './deliver.ts'
import { electionTimer } from './electionTimer.ts'
import { heartbeats } from './heartbeats.ts'
import { loop } from './loop.ts'
import type { Engine } from './options.ts'
import { persist } from './persist.ts'
import { quorumTimer } from './quorumTimer.ts'
import { snapshots } from './snapshots.ts'

/** The whole of a node: proposals and questions go in as events, steps come out. */
export function engine(
  { protocol, storage, transport, electionTimeout, heartbeat, random, turns, scheduler }: Engine,
  application: Application<never, unknown>,
): OperatorFunction<Event, Step> {
  const state = booting(protocol)
  return loop<Event, Step>(
    scan((step: Step, events) => reduce(step.state, events), finish(begin(state), [])),
    [
      persist(storage, scheduler), // steps → what is now on disk
      deliver(transport, scheduler), // steps → what the peers say
      apply(application.apply, scheduler), // steps → what the application answered
      snapshots(application, scheduler), // steps → pieces of its state
      electionTimer(electionTimeout, random, heartbeat, scheduler), // steps → silence
      heartbeats(heartbeat, scheduler), // steps → the leader's pulse
      quorumTimer(scheduler), // steps → a leader cut off
    ],
    (event, step) => isUnhurried(step.state, event),
    turns,
  )
}
