import type { Millis, NodeId } from '../../lib/types.ts'
import type { Chance } from './chance.ts'
import type { Fault, FaultKind } from './faults.ts'

/** A kind of fault that may begin; what ends it (`heal`, `restart`, …) comes by itself. */
export type Trouble = Exclude<
  FaultKind,
  'heal' | 'release' | 'restart' | 'resume' | 'unstallDisk' | 'freeDisk' | 'makeRoom'
>

/** A trouble, first how it begins, then how it ends. */
export function draw(
  chance: Chance,
  ids: readonly NodeId[],
  trouble: Trouble,
  longest: Millis,
  drift = DRIFT,
): readonly [Fault, ...Fault[]] {
  switch (trouble) {
    case 'cut':
    case 'partition':
    case 'bridge':
    case 'ring':
      return [drawPartition(chance, ids, trouble), { type: 'heal' }]
    case 'hold':
      return drawHold(chance, ids)
    case 'lose':
    case 'duplicate':
    case 'reorder': {
      const rate = chance.next() ** 2 * (trouble === 'lose' ? 0.5 : 1)
      return [
        { type: trouble, rate },
        { type: trouble, rate: 0 },
      ]
    }
    case 'delay':
      return [
        { type: 'delay', ms: chance.next() ** 2 * 200 },
        { type: 'delay', ms: 0 },
      ]
    case 'echo':
      return [
        { type: 'echo', rate: chance.next(), ms: chance.next() ** 2 * longest },
        { type: 'echo', rate: 0, ms: 0 },
      ]
    default:
      return drawServer(chance, chance.pick(ids), trouble, drift)
  }
}

/** How much faster the fastest clock may run than the slowest, as a share. */
const DRIFT = 3

function drawHold(chance: Chance, ids: readonly NodeId[]): readonly [Fault, Fault] {
  const [from, to] = chance.shuffle(ids)
  const way = { from: from!, to: to ?? from! }
  return [
    { type: 'hold', ...way },
    { type: 'release', ...way },
  ]
}

type NetworkTrouble = 'cut' | 'partition' | 'bridge' | 'ring'

function drawPartition(chance: Chance, ids: readonly NodeId[], type: NetworkTrouble): Fault {
  const order = chance.shuffle(ids)
  const [first, ...others] = order
  switch (type) {
    case 'cut':
      return { type, from: first!, to: others[0] ?? first! }
    case 'ring':
      return { type, order }
    case 'partition': {
      const size = chance.whole(1, Math.max(1, ids.length - 1))
      return { type, groups: [order.slice(0, size), order.slice(size)] }
    }
    case 'bridge': {
      const half = others.length >> 1
      return { type, over: first!, groups: [others.slice(0, half), others.slice(half)] }
    }
  }
}

type ServerTrouble = Exclude<
  Trouble,
  NetworkTrouble | 'lose' | 'duplicate' | 'reorder' | 'delay' | 'echo' | 'hold'
>

function drawServer(
  chance: Chance,
  id: NodeId,
  type: ServerTrouble,
  drift: number,
): readonly [Fault, ...Fault[]] {
  const restart: Fault = { type: 'restart', id }
  switch (type) {
    case 'crash':
    case 'loseWrites':
    case 'flipBit':
    case 'flipSnapshot':
    case 'wipeDisk':
      return [{ type, id }, restart]
    case 'failFsync':
    case 'tearWrite':
      return [{ type, id, keep: chance.next() }, restart]
    case 'pause':
      return until({ type, id }, { type: 'resume', id })
    case 'jump':
      return [{ type, id, ms: chance.next() ** 2 * 2_000 }]
    case 'drift':
      return until(
        { type, id, rate: (1 + drift) ** chance.between(-0.5, 0.5) },
        { type, id, rate: 1 },
      )
    case 'slowDisk':
      return until({ type, id, ms: chance.next() ** 2 * 300 }, { type, id, ms: 0 })
    case 'stallDisk':
      return until({ type, id }, { type: 'unstallDisk', id })
    case 'tearSnapshot':
      return [{ type, id, keep: chance.next(), isEnd: chance.is(0.5) }, restart]
    case 'garbleChunk':
      return [{ type, id }]
    case 'runShort':
      return until({ type, id }, { type: 'makeRoom', id })
    case 'fillDisk':
      return [{ type, id }, { type: 'freeDisk', id }, restart]
  }
}

const until = (begin: Fault, end: Fault): readonly [Fault, Fault] => [begin, end]
