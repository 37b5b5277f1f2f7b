import type { IncomingMessage } from 'node:http'
import type { Consistency } from 'rxraft'
import { MAX_KEY_BYTES } from './keys.ts'
import type { Condition } from './machine.ts'
import { refuse } from './replies.ts'

/** The path of a request, as it was sent, and its parameters. */
export interface Target {
  readonly path: string
  readonly params: URLSearchParams
}

const NONE = new URLSearchParams()

export function targetOf(url: string): Target {
  const question = url.indexOf('?')
  if (question < 0) return { path: url, params: NONE }
  const search = url.slice(question + 1)
  decoded(search)
  return { path: url.slice(0, question), params: new URLSearchParams(search) }
}

/** The key that the rest of a path stands for. Slashes are part of it, encoded or not. */
export function keyOf(encoded: string): string {
  const key = decoded(encoded)
  if (key === '') throw refuse(400, 'empty-key', 'a key has at least one byte')
  const bytes = Buffer.byteLength(key)
  if (bytes > MAX_KEY_BYTES) {
    throw refuse(413, 'key-too-large', `the key has ${bytes} bytes: at most ${MAX_KEY_BYTES}`)
  }
  return key
}

/** The name of a server that the rest of a path stands for. */
export function nameOf(encoded: string): string {
  const name = decoded(encoded)
  if (name !== '') return name
  throw refuse(400, 'empty-id', 'a server has a name of at least one byte')
}

function decoded(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse(400, 'bad-encoding', `"${text}" is not percent-encoded UTF-8`)
  }
}

/** What `If-Match` and `If-None-Match` ask of the key before it is written. */
export function conditionOf({ headers }: IncomingMessage): Condition {
  const match = headers['if-match']
  const noneMatch = headers['if-none-match']
  if (match === undefined && noneMatch === undefined) return null
  if (match !== undefined && noneMatch !== undefined) {
    throw refuse(400, 'bad-condition', 'If-Match and If-None-Match exclude each other')
  }
  if (noneMatch !== undefined) {
    if (noneMatch === '*') return 'absent'
    throw refuse(400, 'bad-condition', `If-None-Match is ${noneMatch}: a write takes only *`)
  }
  if (match === '*') return 'present'
  const version = Number(/^"(\d+)"$/.exec(match!)?.[1])
  if (Number.isSafeInteger(version)) return version
  throw refuse(400, 'bad-condition', `If-Match is ${match}: it should be * or a version in quotes`)
}

/** A parameter that is one of a few words. */
function choiceOf<T extends string>(
  params: URLSearchParams,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const given = params.get(name) ?? choices[0]
  const choice = choices.find((it) => it === given)
  if (choice !== undefined) return choice
  throw refuse(400, 'bad-parameter', `${name} is "${given}": it should be ${choices.join(' or ')}`)
}

/** What an answer may miss: `consistency`, `within` or `at-least`, one of them at most. */
export function consistencyOf(params: URLSearchParams): Consistency {
  const given = ['consistency', 'within', 'at-least'].filter((name) => params.has(name))
  if (given.length > 1) {
    throw refuse(400, 'bad-parameter', `${given.join(' and ')} exclude each other`)
  }
  const within = wholeOf(params.get('within'), 'within', 0)
  if (within !== undefined) return { within }
  const atLeast = wholeOf(params.get('at-least'), 'at-least', 0)
  if (atLeast !== undefined) return { atLeast }
  return choiceOf<'linearizable' | 'stale'>(params, 'consistency', ['linearizable', 'stale'])
}

/** A whole number from `min` to `max`, or `undefined` when there is none. */
export function wholeOf(
  text: string | null | undefined,
  name: string,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (text === undefined || text === null) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  const expected = `it should be a whole number from ${min} to ${max}`
  throw refuse(400, 'bad-parameter', `${name} is "${text}": ${expected}`)
}

/** The body, when it has at most `limit` bytes. What comes beyond them is let pass by. */
export function bodyOf(
  request: IncomingMessage,
  limit: number,
  what = 'value',
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    const tooLarge = () =>
      reject(refuse(413, `${what}-too-large`, `a ${what} has at most ${limit} bytes`))
    if (Number(request.headers['content-length']) > limit) return tooLarge()
    request.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > limit) return tooLarge()
      chunks.push(chunk)
    })
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.on('error', reject)
  })
}
