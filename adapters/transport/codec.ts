import { isPacked, type Batch } from '../../lib/batch.ts'
import { decodeMembers, encodeMembers, membersIn } from '../../lib/members.ts'
import type { Message } from '../../lib/messages.ts'
import { MAX_INTEGER, readU32, readU53, writeU32, writeU53 } from './integers.ts'
import { kindCodes, kindOfCode, planOf, planOfCode, type Plan } from './layout.ts'
import { illegal } from './legal.ts'
import { malformed, type Malformed } from './malformed.ts'

/**
 * Messages ↔ bytes, in two parts: a head, which says everything but the commands, and a body, which is
 * the batches' bytes one after another, as they are. docs/protocol.md is the specification.
 *
 * The form is written by hand and not in MessagePack: it costs the same with every check included, has
 * one encoding for each message, and leaves a stranger's bytes no types to choose from.
 */

const utf8 = new TextEncoder()
const latin1 = new TextDecoder('latin1')

const COUNT_BYTES = 4
/** Index, term, kind, number of entries, length. */
const ROW_BYTES = 8 + 8 + 1 + 4 + 4

const planFor = (message: Message): Plan => planOf.get(message.type)!

/** Bytes of the head of `message`. */
export function headLength(message: Message): number {
  const { size } = planFor(message)
  switch (message.type) {
    case 'append':
      return size + COUNT_BYTES + message.batches.length * ROW_BYTES
    case 'install':
      return size + COUNT_BYTES + encodeMembers(message.members).length
    case 'fingerprint':
      return size + 1 + message.value.length
    case 'forward':
      return size + COUNT_BYTES
    default:
      return size
  }
}

/** Bytes of the body of `message`. */
export function bodyLength(message: Message): number {
  if (message.type === 'install' || message.type === 'forward') return message.bytes.length
  if (message.type !== 'append') return 0
  let length = 0
  for (const batch of message.batches) length += batch.bytes.length
  return length
}

/** Why `message` cannot be sent, or `undefined` when it can. */
export function unsendable(message: Message): string | undefined {
  const plan = planOf.get(message.type)
  if (plan === undefined) return `the type ${message.type} is unknown`
  const values = message as unknown as Readonly<Record<string, unknown>>
  for (const [name, kind] of plan.fields) {
    if (kind === 'integer' && !isInteger(values[name])) return `${name} is ${String(values[name])}`
  }
  if (message.type === 'append') {
    for (const { term, count } of message.batches) {
      if (!isInteger(term) || !isInteger(count)) return `a batch has term ${term}, count ${count}`
    }
  }
  return illegal(message)
}

const isInteger = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

/** Writes the head of a message that can be sent, and says where it ends. */
export function writeHead(message: Message, into: Uint8Array, start: number): number {
  const plan = planFor(message)
  const values = message as unknown as Readonly<Record<string, number | boolean>>
  let at = start
  into[at++] = plan.code
  for (const [name, kind] of plan.fields) {
    if (kind === 'integer') {
      writeU53(into, at, values[name] as number)
      at += 8
    } else into[at++] = values[name] ? 1 : 0
  }
  switch (message.type) {
    case 'append':
      return writeRows(message.batches, into, at)
    case 'install': {
      const members = encodeMembers(message.members)
      writeU32(into, at, message.bytes.length)
      into.set(members, at + COUNT_BYTES)
      return at + COUNT_BYTES + members.length
    }
    case 'fingerprint':
      into[at] = message.value.length
      return at + 1 + utf8.encodeInto(message.value, into.subarray(at + 1)).written
    case 'forward':
      writeU32(into, at, message.bytes.length)
      return at + COUNT_BYTES
    default:
      return at
  }
}

function writeRows(batches: readonly Batch[], into: Uint8Array, start: number): number {
  let at = start
  writeU32(into, at, batches.length)
  at += COUNT_BYTES
  for (const { index, term, kind, count, bytes } of batches) {
    writeU53(into, at, index)
    writeU53(into, at + 8, term)
    into[at + 16] = kindCodes[kind]
    writeU32(into, at + 17, count)
    writeU32(into, at + 21, bytes.length)
    at += ROW_BYTES
  }
  return at
}

/** The message, whose batches are views on `body`; whatever the bytes are, it never throws. */
export function decode(head: Uint8Array, body: Uint8Array): Message | Malformed {
  const plan = planOfCode.get(head[0] ?? 0)
  if (plan === undefined) return malformed(`no message has the code ${head[0] ?? 'of nothing'}`)
  const fields: Record<string, unknown> = { type: plan.type }
  const reason = readFields(plan, head, fields) ?? readRest(plan, head, body, fields)
  if (reason !== undefined) return malformed(`${plan.type}: ${reason}`)
  const message = fields as unknown as Message
  const fault = illegal(message)
  return fault === undefined ? message : malformed(`${plan.type}: ${fault}`)
}

function readFields(
  plan: Plan,
  head: Uint8Array,
  fields: Record<string, unknown>,
): string | undefined {
  if (head.length < plan.size) return `${head.length} bytes, at least ${plan.size} expected`
  let at = 1
  for (const [name, kind] of plan.fields) {
    if (kind === 'integer') {
      const value = readU53(head, at)
      if (value < 0) return `${name} is above ${MAX_INTEGER}`
      fields[name] = value
      at += 8
    } else {
      const value = head[at++]!
      if (value > 1) return `${name} is ${value}, neither 0 nor 1`
      fields[name] = value === 1
    }
  }
  return undefined
}

function readRest(
  plan: Plan,
  head: Uint8Array,
  body: Uint8Array,
  fields: Record<string, unknown>,
): string | undefined {
  switch (plan.type) {
    case 'append':
      return readRows(plan, head, body, fields)
    case 'install':
      return readPiece(plan, head, body, fields)
    case 'fingerprint':
      return readValue(plan, head, body, fields)
    case 'forward':
      return readCommands(plan, head, body, fields)
    default:
      return readEnd(plan, head, body)
  }
}

function readPiece(
  { size }: Plan,
  head: Uint8Array,
  body: Uint8Array,
  fields: Record<string, unknown>,
): string | undefined {
  const members = decodeMembers(head.subarray(size + COUNT_BYTES))
  if (members === undefined) return 'its members are none'
  fields['members'] = members
  fields['bytes'] = body
  const length = readU32(head, size)
  return body.length === length ? undefined : `${body.length} bytes, ${length} expected`
}

function readValue(
  { size }: Plan,
  head: Uint8Array,
  body: Uint8Array,
  fields: Record<string, unknown>,
): string | undefined {
  const length = head[size] ?? 0
  fields['value'] = latin1.decode(head.subarray(size + 1))
  const isWhole = head.length === size + 1 + length && body.length === 0
  return isWhole ? undefined : `no room for exactly ${length} characters`
}

function readCommands(
  { size }: Plan,
  head: Uint8Array,
  body: Uint8Array,
  fields: Record<string, unknown>,
): string | undefined {
  if (head.length !== size + COUNT_BYTES) return `${head.length} bytes, not ${size + COUNT_BYTES}`
  const length = readU32(head, size)
  if (body.length !== length) return `${body.length} bytes, ${length} expected`
  fields['bytes'] = body
  const count = fields['count'] as number
  return isPacked(body, count) ? undefined : `it is not ${count} entries`
}

function readEnd({ size }: Plan, head: Uint8Array, body: Uint8Array): string | undefined {
  const extra = head.length - size + body.length
  return extra === 0 ? undefined : `${extra} bytes too many`
}

function readRows(
  { size }: Plan,
  head: Uint8Array,
  body: Uint8Array,
  fields: Record<string, unknown>,
): string | undefined {
  const rows = size + COUNT_BYTES
  const count = head.length < rows ? -1 : readU32(head, size)
  if (head.length !== rows + count * ROW_BYTES) return `no room for exactly ${count} batches`
  const batches: Batch[] = []
  let offset = 0
  for (let at = rows; at < head.length; at += ROW_BYTES) {
    const length = readU32(head, at + 21)
    if (offset + length > body.length) return 'the body is shorter than its batches'
    const batch = readRow(head, at, body.subarray(offset, offset + length))
    if (typeof batch === 'string') return batch
    batches.push(batch)
    offset += length
  }
  fields['batches'] = batches
  return offset === body.length ? undefined : 'the body is longer than its batches'
}

function readRow(head: Uint8Array, at: number, bytes: Uint8Array): Batch | string {
  const index = readU53(head, at)
  const term = readU53(head, at + 8)
  const kind = kindOfCode.get(head[at + 16]!)
  const count = readU32(head, at + 17)
  if (index < 0 || term < 0) return `a batch's index or term is above ${MAX_INTEGER}`
  if (kind === undefined) return `no kind of entry has the code ${head[at + 16]}`
  if (!isPacked(bytes, count, kind)) return `the batch at ${index} is not ${count} entries`
  const batch: Batch = { index, term, kind, count, bytes }
  return kind === 'members' && membersIn(batch) === undefined
    ? `the entry at ${index} is no configuration`
    : batch
}
