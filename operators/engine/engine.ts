import { scan, type OperatorFunction } from 'rxjs'
import type { Batch } from '../../lib/batch.ts'
import type { Event } from '../../lib/events.ts'
import { booting } from '../../lib/state.ts'
import { reduce } from '../../lib/step.ts'
import { begin, finish, type AppliedBatch, type Step } from '../../lib/turn.ts'
import { apply } from './apply.ts'
import { deliver } from './deliver.ts'
import { electionTimer } from './electionTimer.ts'
import { heartbeats } from './heartbeats.ts'
import { loop } from './loop.ts'
import type { Engine } from './options.ts'
import { persist } from './persist.ts'
import { quorumTimer } from './quorumTimer.ts'

/** The whole of a node: proposals and questions go in as events, steps come out. */
export function engine(
  { protocol, storage, transport, electionTimeout, heartbeat, random, turns, scheduler }: Engine,
  applyBatch: (batch: Batch) => AppliedBatch,
): OperatorFunction<Event, Step> {
  const state = booting(protocol)
  return loop<Event, Step>(
    scan((step: Step, events) => reduce(step.state, events), finish(begin(state), state, [])),
    [
      persist(storage, scheduler), // steps → what is now on disk
      deliver(transport, scheduler), // steps → what the peers say
      apply(applyBatch, scheduler), // steps → what the application answered
      electionTimer(electionTimeout, random, scheduler), // steps → silence
      heartbeats(heartbeat, scheduler), // steps → the leader's pulse
      quorumTimer(scheduler), // steps → a leader cut off
    ],
    turns,
  )
}
