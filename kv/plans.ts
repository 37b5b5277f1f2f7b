import type { NodeId, Plan } from 'rxraft'
import { formatPlace, parsePlace } from './addresses.ts'
import { refuse } from './replies.ts'

/** Longest name of a server, in bytes of UTF-8. */
const ID_BYTES = 255

const LISTS = ['voters', 'learners', 'witnesses', 'remove'] as const

type Body = Readonly<Record<string, unknown>>

/** The body of a request as JSON; an object without fields when there is none. */
export function parseBody(bytes: Uint8Array): Body {
  if (bytes.length === 0) return {}
  let body: unknown
  try {
    body = JSON.parse(Buffer.from(bytes).toString())
  } catch {
    throw bad('the body is not JSON')
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body
  throw bad('the body is not an object')
}

/** Reads `{ voters?, learners?, witnesses?, remove?, addresses?, priorities?, expected? }`. */
export function parsePlan(body: Body): Plan {
  allow(body, [...LISTS, 'addresses', 'priorities', 'expected'])
  const { expected } = body
  if (expected !== undefined && !(Number.isSafeInteger(expected) && Number(expected) >= 0)) {
    throw bad('expected is not the index of a configuration')
  }
  const lists = LISTS.filter((name) => body[name] !== undefined)
  const plan = Object.fromEntries(lists.map((name) => [name, idsIn(name, body[name])]))
  const all = Object.values(plan).flat()
  const twice = all.find((id, i) => all.indexOf(id) !== i)
  if (twice !== undefined) throw bad(`${twice} is named twice`)
  return {
    ...plan,
    ...(body['addresses'] !== undefined && { addresses: placesIn(body['addresses']) }),
    ...(body['priorities'] !== undefined && { priorities: prioritiesIn(body['priorities']) }),
    ...(expected !== undefined && { expected: Number(expected) }),
  }
}

/** Reads `{ to? }`. */
export function parseSuccessor(body: Body): NodeId | undefined {
  allow(body, ['to'])
  const { to } = body
  if (to === undefined || isId(to)) return to
  throw bad('to is not the name of a server')
}

/** A misspelt field would otherwise be a change that does less than it says. */
function allow(body: Body, fields: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !fields.includes(name))
  if (unknown !== undefined) throw bad(`"${unknown}" is not among ${fields.join(', ')}`)
}

function idsIn(name: string, value: unknown): NodeId[] {
  if (Array.isArray(value) && value.every(isId)) return value
  throw bad(`${name} is not an array of names of 1 to ${ID_BYTES} bytes`)
}

const isId = (value: unknown): value is NodeId =>
  typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= ID_BYTES

function placesIn(value: unknown): NonNullable<Plan['addresses']> {
  if (typeof value !== 'object' || value === null) throw bad('addresses is not an object')
  return Object.fromEntries(Object.entries(value).map(([id, text]) => [id, placeIn(id, text)]))
}

function prioritiesIn(value: unknown): NonNullable<Plan['priorities']> {
  if (typeof value !== 'object' || value === null) throw bad('priorities is not an object')
  return Object.fromEntries(
    Object.entries(value).map(([id, it]) => {
      if (isPriority(it)) return [id, it]
      throw bad(`priorities: ${id}: it should be a whole number from 0 to ${HIGHEST_PRIORITY}`)
    }),
  )
}

/** The highest priority that a server can have. */
export const HIGHEST_PRIORITY = 100

const isPriority = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= HIGHEST_PRIORITY

function placeIn(id: string, text: unknown): string {
  try {
    return formatPlace(parsePlace(String(text)))
  } catch (error) {
    throw bad(`addresses: ${id}: ${(error as Error).message}`)
  }
}

const bad = (message: string) => refuse(400, 'bad-body', message)
