import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  linearizable,
  type Operation,
  type Verdict,
} from '../../testing/checkers/linearizability.ts'
import type { Request, Response } from '../../testing/checkers/observation.ts'
import { seeded } from '../../testing/seeded.ts'

type Type = Verdict['type']

/** An operation from one instant to another: `put x`, `get x`, `get` of nothing, `cas x y`, `cas x y no`. */
function op(invoked: number, returned: number | undefined, what: string, fate?: string): Operation {
  const [type, first, second, no] = what.split(' ')
  const text = first === '-' ? undefined : first
  const request: Request =
    type === 'get'
      ? { type, key: 'k' }
      : type === 'cas'
        ? { type, key: 'k', expected: text, value: second! }
        : { type: type as 'put' | 'append', key: 'k', value: first! }
  const ok: Response =
    type === 'get'
      ? { type: 'ok', value: text }
      : type === 'cas'
        ? { type: 'ok', swapped: no === undefined }
        : { type: 'ok' }
  const response: Response = fate === undefined ? ok : { type: fate as 'unknown' | 'failed' }
  return { client: invoked, request, invoked, returned, response }
}

const good: readonly (readonly [string, readonly Operation[]])[] = [
  ['nothing at all', []],
  ['a read of nothing', [op(1, 2, 'get -')]],
  [
    'a read under way sees the old or the new value',
    [op(1, 6, 'put x'), op(2, 3, 'get -'), op(4, 5, 'get x'), op(7, 8, 'get x')],
  ],
  [
    'two writes under way in either order',
    [op(1, 4, 'put x'), op(2, 5, 'put y'), op(6, 7, 'get x')],
  ],
  [
    'a cas that fails because of a write under way',
    [op(1, 2, 'put x'), op(3, 6, 'put y'), op(4, 5, 'cas x z no'), op(7, 8, 'get y')],
  ],
  [
    'a cas that fails because of a write that nobody knows of',
    [op(1, 2, 'put x'), op(3, 4, 'put y', 'unknown'), op(5, 6, 'cas x z no')],
  ],
  [
    'an unknown write that takes effect long after',
    [op(1, 2, 'put x', 'unknown'), op(3, 4, 'put y'), op(5, 6, 'get y'), op(7, 8, 'get x')],
  ],
  ['an unknown write that never takes effect', [op(1, 2, 'put x', 'unknown'), op(3, 4, 'get -')]],
  ['a write that never returned', [op(1, undefined, 'put x'), op(3, 4, 'get x')]],
  [
    'an unknown cas that swapped, and was built on',
    [op(1, 2, 'put x'), op(3, 4, 'cas x y', 'unknown'), op(5, 6, 'cas y z'), op(7, 8, 'get z')],
  ],
  [
    'the second of two unknown writes first',
    [
      op(1, 2, 'put y'),
      op(3, 4, 'put x', 'unknown'),
      op(3, 4, 'cas y x', 'unknown'),
      op(5, 6, 'get x'),
      op(7, 8, 'put z'),
      op(9, 10, 'get x'),
    ],
  ],
  ['failed writes', [op(1, 2, 'put x', 'failed'), op(3, 4, 'get -')]],
  [
    'words appended in one order',
    [
      op(1, 4, 'append a'),
      op(2, 5, 'append b'),
      op(6, 7, 'get ba'),
      op(8, 9, 'append c'),
      op(10, 11, 'get bac'),
    ],
  ],
  [
    'an unknown append seen late',
    [op(1, 2, 'append a', 'unknown'), op(3, 4, 'append b'), op(5, 6, 'get b'), op(7, 8, 'get ba')],
  ],
  ['appends behind a put', [op(1, 2, 'put x'), op(3, 4, 'append a'), op(5, 6, 'get xa')]],
  [
    'the same value written twice',
    [
      op(1, 2, 'put x'),
      op(3, 4, 'put y'),
      op(5, 6, 'get y'),
      op(7, 8, 'put x'),
      op(9, 10, 'get x'),
    ],
  ],
  [
    'what returned at the instant of an invocation was concurrent',
    [op(1, 2, 'put x'), op(2, 3, 'get -')],
  ],
]

const bad: readonly (readonly [string, readonly Operation[]])[] = [
  ['a stale read', [op(1, 2, 'put x'), op(3, 4, 'put y'), op(5, 6, 'get x')]],
  [
    'a stale read after a newer was read',
    [op(1, 8, 'put x'), op(2, 3, 'get x'), op(4, 5, 'get -')],
  ],
  [
    'two readers that see two writes in different orders',
    [op(1, 9, 'put x'), op(1, 9, 'put y'), op(2, 3, 'get x'), op(4, 5, 'get y'), op(6, 7, 'get x')],
  ],
  ['a lost write', [op(1, 2, 'put x'), op(3, 4, 'get -')]],
  [
    'a lost update',
    [op(1, 2, 'append a'), op(3, 6, 'append b'), op(4, 7, 'append c'), op(8, 9, 'get ab')],
  ],
  ['two cas that both succeeded', [op(1, 2, 'put x'), op(3, 6, 'cas x y'), op(4, 5, 'cas x z')]],
  [
    'a cas that failed although nothing was in its way',
    [op(1, 2, 'put x'), op(3, 4, 'cas x y no')],
  ],
  ['a cas that expected what never was', [op(1, 2, 'put x'), op(3, 4, 'cas z y')]],
  ['a value that was never written', [op(1, 2, 'put x'), op(3, 4, 'get z')]],
  ['a failed write that was seen', [op(1, 2, 'put x', 'failed'), op(3, 4, 'get x')]],
  [
    'an unknown write that was seen and then unseen',
    [op(1, 2, 'put x', 'unknown'), op(3, 4, 'get x'), op(5, 6, 'get -')],
  ],
  [
    'an unknown write that took effect twice',
    [op(1, 2, 'put x', 'unknown'), op(3, 4, 'get x'), op(5, 6, 'put y'), op(7, 8, 'get x')],
  ],
  ['a read from the future', [op(1, 2, 'get x'), op(3, 4, 'put x')]],
  ['a read from the future of an unknown write', [op(1, 2, 'get x'), op(3, 4, 'put x', 'unknown')]],
  ['a word appended twice', [op(1, 2, 'append a'), op(3, 4, 'get aa')]],
  [
    'words that change their order',
    [op(1, 4, 'append a'), op(2, 5, 'append b'), op(6, 7, 'get ab'), op(8, 9, 'get ba')],
  ],
  ['a word that vanishes', [op(1, 2, 'append a'), op(3, 4, 'append b'), op(5, 6, 'get b')]],
  [
    'a second value from one unknown cas',
    [
      op(1, 2, 'put x'),
      op(3, 4, 'cas x y', 'unknown'),
      op(5, 6, 'get y'),
      op(7, 8, 'put x'),
      op(9, 10, 'get y'),
    ],
  ],
]

describe('linearizable', () => {
  it.each(good)('%s', (_, history) => {
    expect(linearizable(history)).toEqual({ type: 'linearizable' })
  })
})

describe('not linearizable', () => {
  it.each(bad)('%s', (_, history) => {
    expect(linearizable(history)).toMatchObject({ type: 'violation', key: 'k' })
  })

  it('is found in its key, which others do not hide', () => {
    const other = (it: Operation): Operation => ({ ...it, request: { ...it.request, key: 'l' } })
    const history = [...good[2]![1], ...bad[0]![1].map(other)]
    expect(linearizable(history)).toMatchObject({ type: 'violation', key: 'l' })
  })

  it('tells what nobody can explain', () => {
    expect(linearizable(bad[0]![1])).toMatchObject({
      message:
        'no order explains {"type":"get","key":"k"} of client 5, from 5 to 6, answered {"type":"ok","value":"x"}',
    })
  })
})

/** How one operation goes: which, with which values, when, and what is known of it. */
interface Plan {
  readonly type: Request['type']
  readonly value: string
  readonly expected: string | undefined
  readonly invoked: number
  readonly lasts: number
  /** When it takes effect, as a part of the time that it lasts; unknown ones may take longer. */
  readonly effect: number
  readonly fate: 'known' | 'late' | 'never' | 'failed'
}

const plan = (values: readonly string[], span: number): fc.Arbitrary<Plan> =>
  fc.record({
    type: fc.constantFrom<Request['type'][]>('put', 'get', 'cas', 'append'),
    value: fc.constantFrom(...values),
    expected: fc.constantFrom(undefined, ...values),
    invoked: fc.integer({ min: 0, max: span }),
    lasts: fc.integer({ min: 1, max: 12 }),
    effect: fc.double({ min: 0, max: 1, noNaN: true }),
    fate: fc.constantFrom<Plan['fate'][]>('known', 'known', 'known', 'late', 'never', 'failed'),
  })

/** What one request makes of a value: the next value, and the answer. */
function serve(
  before: string | undefined,
  request: Request,
): readonly [string | undefined, Response] {
  switch (request.type) {
    case 'get':
      return [before, { type: 'ok', value: before }]
    case 'put':
      return [request.value, { type: 'ok' }]
    case 'append':
      return [(before ?? '') + request.value, { type: 'ok' }]
    case 'cas': {
      const swapped = request.expected === before
      return [swapped ? request.value : before, { type: 'ok', swapped }]
    }
  }
}

/** The history of clients of a register that really does one thing after the other. */
function happened(plans: readonly Plan[]): Operation[] {
  const acts = plans.map((it, client) => {
    const { type, value, expected, invoked, lasts, effect, fate } = it
    const request: Request =
      type === 'get'
        ? { type, key: 'k' }
        : type === 'cas'
          ? { type, key: 'k', expected, value }
          : { type, key: 'k', value }
    const at = invoked + effect * lasts * (fate === 'late' ? 5 : 1)
    const response: Response = { type: fate === 'failed' ? 'failed' : 'unknown' }
    return { client, request, invoked, returned: invoked + lasts, at, fate, response }
  })
  let held: string | undefined
  return acts
    .sort((a, b) => a.at - b.at)
    .map(({ client, request, invoked, returned, fate, response }) => {
      const [next, answer] = serve(held, request)
      if (fate === 'known' || fate === 'late') held = next
      return { client, request, invoked, returned, response: fate === 'known' ? answer : response }
    })
}

/** Tries every order of every choice of the unknown operations: slow, and too simple to be wrong. */
function bruteForce(history: readonly Operation[]): Type {
  const ends = ({ returned, response }: Operation): number =>
    response.type === 'ok' ? (returned ?? Infinity) : Infinity
  const explain = (left: readonly Operation[], held: string | undefined): boolean => {
    if (left.every((it) => ends(it) === Infinity)) return true
    return left.some((it) => {
      if (left.some((other) => ends(other) < it.invoked)) return false
      const [next, answer] = serve(held, it.request)
      const isRight =
        ends(it) === Infinity || JSON.stringify(answer) === JSON.stringify(it.response)
      const rest = left.filter((other) => other !== it)
      return isRight && explain(rest, next)
    })
  }
  const possible = history.filter(({ response }) => response.type !== 'failed')
  return explain(possible, undefined) ? 'linearizable' : 'violation'
}

describe('the checker against others', () => {
  const few = ['x', 'y', 'xy', 'z']
  const unique = Array.from({ length: 40 }, (_, i) => `${i}.`)

  it.each([
    ['few values', few],
    ['values that differ', unique],
  ])('whatever a real register does is linearizable: %s', (_, values) => {
    const plans = fc.array(plan(values, 60), { maxLength: 30 })
    fc.assert(
      fc.property(plans, (made) => {
        expect(linearizable(happened(made))).toEqual({ type: 'linearizable' })
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  it('agrees with brute force on small histories, many of which are wrong', () => {
    const seen: Record<string, number> = {}
    const lie = fc.tuple(fc.nat(5), fc.constantFrom(undefined, ...few, 'xx', 'zx'))
    const plans = fc.array(plan(few, 12), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(plans, fc.option(lie), (made, lied) => {
        const history = happened(made).map((it, i) => (i === lied?.[0] ? lying(it, lied[1]) : it))
        const expected = bruteForce(history)
        seen[expected] = (seen[expected] ?? 0) + 1
        expect(linearizable(history).type).toBe(expected)
      }),
      { numRuns: 4000, seed: 2 },
    )
    expect(seen['violation']).toBeGreaterThan(300)
    expect(seen['linearizable']).toBeGreaterThan(1000)
  })
})

/** The same operation with an answer that may not be true. */
function lying(it: Operation, value: string | undefined): Operation {
  const { request, response } = it
  if (response.type !== 'ok') return it
  if (request.type === 'get') return { ...it, response: { type: 'ok', value } }
  if (request.type !== 'cas') return it
  return { ...it, response: { type: 'ok', swapped: response.swapped !== true } }
}

/** Ten clients that are always busy with one key; some of their operations have an unknown outcome. */
function busy(seed: number, types: readonly Request['type'][]): Operation[] {
  const random = seeded(seed)
  const plans = Array.from({ length: 10 }).flatMap((_, client) => {
    let now = random() * 10
    return Array.from({ length: 200 }, (_, i): Plan => {
      const invoked = now
      const lasts = random() * 10
      now += lasts + random() * 10
      const type = types[Math.floor(random() * types.length)]!
      const fate = random() > 0.025 ? 'known' : random() < 0.5 ? 'late' : 'never'
      const value = `${client}.${i} `
      return { type, value, expected: undefined, invoked, lasts, effect: random(), fate }
    })
  })
  return happened(plans)
}

describe('2,000 operations of ten clients on one key, some dozens of them unknown', () => {
  it.each<[string, readonly Request['type'][]]>([
    ['puts and gets', ['put', 'get']],
    ['appends and gets', ['append', 'get']],
    ['puts, gets and cas', ['put', 'get', 'cas']],
  ])('are decided: %s', (_, types) => {
    const history = busy(7, types)
    expect(history).toHaveLength(2_000)
    expect(history.filter(({ response }) => response.type === 'unknown').length).toBeGreaterThan(30)
    expect(linearizable(history)).toEqual({ type: 'linearizable' })
    const reads = history.filter(
      ({ request, response }) => request.type === 'get' && response.type === 'ok',
    )
    const [old, late] = [
      reads[Math.floor(reads.length * 0.7)]!,
      reads[Math.floor(reads.length * 0.8)]!,
    ]
    const lied = history.map((it) => (it === late ? { ...it, response: old.response } : it))
    expect(linearizable(lied)).toMatchObject({ type: 'violation' })
  })
})
