import type { NodeId, Plan } from '../../lib/types.ts'
import type { Request } from '../checkers/observation.ts'
import { settle, wait, type Cast } from './settling.ts'
import { areSafe, fitted } from './witnesses.ts'

/**
 * The second half of every run: all faults are over, and what must then come true. A leader is elected, a
 * write and a read that begin at each member succeed, every client's operation and every order ends, every promise
 * is kept and all states are equal. The leadership can be handed over, and the members be changed. Then the leader
 * starts anew, and all of it comes true again although nobody writes any more (§8); and after that, nobody unseats
 * the leader. Returns what has not come true, each time within a bound.
 */
export function heal(cast: Cast): readonly string[] {
  const { world, journal } = cast
  const stages: readonly (() => readonly string[])[] = [
    () => settle(cast, (key) => [{ type: 'put', key, value: key }, read(key)]),
    () => handOver(cast),
    () => change(cast),
    () => {
      const leader = world.server(journal.leader() ?? '')
      leader?.crash(1)
      leader?.start()
      return settle(cast, (key) => [read(key)])
    },
    () => rest(cast),
  ]
  for (const stage of stages) {
    const missing = stage()
    if (missing.length > 0 || journal.violations.length > 0) return missing
  }
  return []
}

const read = (key: string): Request => ({ type: 'get', key })

/** Another voter is to lead, and does. */
function handOver(cast: Cast): readonly string[] {
  const { world, journal, administrators } = cast
  const { voters = [] } = world.roster.members ?? {}
  const isFit = (id: NodeId): boolean =>
    id !== journal.leader() && isSound(cast, id) && !world.witnesses.has(id)
  const fit = voters.filter(isFit)
  const to = fit[world.options.seed % fit.length]
  if (to === undefined) return []
  return achieve(cast, `${to} was not handed the leadership`, (done) =>
    administrators.transfer(to, (leader) => done(leader === to)),
  )
}

/** A server comes or goes. */
function change(cast: Cast): readonly string[] {
  const { world, administrators } = cast
  const plan = planOf(cast)
  if (!world.survives({ plan })) return []
  return achieve(cast, `${JSON.stringify(plan)} was not done`, (done) =>
    administrators.change(plan, (refused) => done(refused === undefined)),
  )
}

function planOf(cast: Cast): Plan {
  const { servers, roster, options, witnesses } = cast.world
  const { voters = [] } = roster.members ?? {}
  const stranger = servers.find(({ id }) => !roster.isMember(id) && isSound(cast, id))
  const leaver = voters[options.seed % voters.length]!
  const newcomers = stranger === undefined ? [] : [stranger.id]
  const joining = fitted({ voters: newcomers }, witnesses)
  const isLeaving = voters.length > 1 && options.seed % 2 === 0
  const plans: readonly Plan[] = [...(isLeaving ? [{ remove: [leaver], ...joining }] : []), joining]
  const isAllowed = ({ remove = [] }: Plan): boolean => {
    const left = [...voters, ...newcomers].filter((id) => !remove.includes(id))
    return areSafe(left, witnesses, () => false)
  }
  return plans.find(isAllowed) ?? {}
}

const isSound = ({ world }: Cast, id: NodeId): boolean => world.server(id)?.disk.isCorrupt === false

/** Asks again after each refusal, until it is done. */
function achieve(
  cast: Cast,
  failure: string,
  ask: (done: (isDone: boolean) => void) => void,
): readonly string[] {
  let isAsked = false
  let isAchieved = false
  return wait(cast, () => {
    if (isAchieved) return []
    if (!isAsked) {
      isAsked = true
      ask((isDone) => {
        isAsked = false
        isAchieved ||= isDone
      })
    }
    return [failure]
  })
}

/** A leader whom nobody has a reason to unseat is not unseated in so many virtual ms. */
const REST = 1_000

/** Whom the cluster likes better may still take over first. */
const TRIES = 4

/** Also by servers that were sent away and do not know it. */
function rest({ world, journal }: Cast): readonly string[] {
  for (let i = 0; i < TRIES; i++) {
    const { elections } = journal
    world.clock.runUntil(world.clock.now() + REST)
    if (journal.elections === elections) return []
  }
  return ['leaders are unseated without a reason']
}
