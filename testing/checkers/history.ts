import type { Operation } from './linearizability.ts'
import { NOTHING, UNSEEN, type Register, type Value } from './register.ts'

/** An operation as the search sees it. */
export interface Op {
  readonly operation: Operation
  readonly invoked: number
  /** Infinity: its outcome is unknown, it may take effect at any time or never. */
  readonly returned: number
  /** What it must find: a value, or any `other` than it. */
  readonly finds: { readonly type: 'equal' | 'other'; readonly value: Value } | undefined
  /** What it leaves behind; `undefined`: what it found. */
  readonly leaves: { readonly type: 'set' | 'append'; readonly text: string } | undefined
  /** Of two with unknown outcomes that do the same, it is enough to try the first. */
  readonly deed: string
  /** Its member in sets, shared with operations that are over before it begins. */
  mark: string
}

/** A return, with what the search must know at that time. */
export interface Moment {
  readonly op: Op
  /** What was invoked since the moment before. */
  readonly begun: readonly Op[]
  /** What has begun and not returned before, in the order of the invocations. */
  readonly open: readonly Op[]
}

/** What leaves behind what nobody saw, whatever it found. */
const UNSEEN_DEED = 'unseen'

/** What operations read or expected. */
export function seenBy(operations: readonly Operation[]): string[] {
  return operations.flatMap(({ request, response }) => {
    const isRead = request.type === 'get' && response.type === 'ok'
    const text = request.type === 'cas' ? request.expected : isRead ? response.value : undefined
    return text === undefined ? [] : [text]
  })
}

/** The operations that matter: not those that certainly did nothing, and nobody heard what they read. */
export function opsOf(operations: readonly Operation[], register: Register): Op[] {
  return operations.flatMap((operation) => {
    const { request, response, invoked } = operation
    const isUnknown = response.type === 'unknown' || operation.returned === undefined
    if (response.type === 'failed' || (isUnknown && request.type === 'get')) return []
    const returned = isUnknown ? Infinity : operation.returned
    return [{ operation, invoked, returned, ...ruleOf(operation, isUnknown, register), mark: '' }]
  })
}

function ruleOf(
  { request, response }: Operation,
  isUnknown: boolean,
  register: Register,
): Pick<Op, 'finds' | 'leaves' | 'deed'> {
  const deed = JSON.stringify(request)
  switch (request.type) {
    case 'get': {
      const value = response.type === 'ok' ? register.valueOf(response.value) : NOTHING
      return { finds: { type: 'equal', value }, leaves: undefined, deed }
    }
    case 'put': {
      const isSeen = register.valueOf(request.value) !== UNSEEN
      const leaves = { type: 'set', text: request.value } as const
      return { finds: undefined, leaves, deed: isSeen ? deed : UNSEEN_DEED }
    }
    case 'append': {
      const isSeen = register.isSeenIn(request.value)
      const leaves = { type: 'append', text: request.value } as const
      return { finds: undefined, leaves, deed: isSeen ? deed : UNSEEN_DEED }
    }
    case 'cas': {
      const value = register.valueOf(request.expected)
      // One of which nobody knows whether it swapped has an effect if it did, and else none.
      const isSwapped = isUnknown || (response.type === 'ok' && response.swapped === true)
      return isSwapped
        ? { finds: { type: 'equal', value }, leaves: { type: 'set', text: request.value }, deed }
        : { finds: { type: 'other', value }, leaves: undefined, deed }
    }
  }
}

/** The returns in order. What is invoked at the instant of a return is concurrent with it. */
export function momentsOf(ops: readonly Op[]): Moment[] {
  const begins = [...ops].sort((a, b) => a.invoked - b.invoked)
  const ends = ops.filter(({ returned }) => returned < Infinity)
  let open: readonly Op[] = []
  let begin = 0
  return ends
    .sort((a, b) => a.returned - b.returned)
    .map((op) => {
      const begun: Op[] = []
      while (begin < begins.length && begins[begin]!.invoked <= op.returned) {
        const next = begins[begin++]!
        next.mark = freeMark([...open, ...begun])
        begun.push(next)
      }
      const moment = { op, begun, open: [...open, ...begun] }
      open = moment.open.filter((other) => other !== op)
      return moment
    })
}

/** A mark that none of the open operations has. */
function freeMark(open: readonly Op[]): string {
  const taken = new Set(open.map(({ mark }) => mark))
  let code = 0x21
  while (taken.has(String.fromCharCode(code))) code++
  return String.fromCharCode(code)
}
