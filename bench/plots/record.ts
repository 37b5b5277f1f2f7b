import type { Result } from '../report.ts'

/** One figure of a run, as `--json` writes it. */
export type Figure = Pick<
  Result,
  'suite' | 'case' | 'metric' | 'unit' | 'median' | 'min' | 'max' | 'values' | 'ratio' | 'target'
>

/** What `--json` writes. */
export interface Record {
  readonly machine: string
  readonly command: string
  readonly results: readonly Figure[]
}

/** The record in a file of this name. Throws an error that says what is wrong with it. */
export function recordIn(text: string, name: string): Record {
  const given = parsed(text, name)
  const record = given as Partial<Record> | null
  const wanted = ['machine', 'command'] as const
  for (const field of wanted) {
    if (typeof record?.[field] !== 'string') throw new Error(`${name} has no "${field}": ${HINT}`)
  }
  if (!Array.isArray(record?.results)) throw new Error(`${name} has no "results": ${HINT}`)
  for (const [i, result] of (record.results as readonly unknown[]).entries()) {
    const flaw = flawOf(result)
    if (flaw !== undefined) throw new Error(`${name}, result ${i + 1}: ${flaw}: ${HINT}`)
  }
  return record as Record
}

const HINT = 'it should be what `npm run bench -- … --json FILE` writes'

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${name} is no JSON: ${HINT}`, { cause: error })
  }
}

const TEXTS = ['suite', 'case', 'metric', 'unit'] as const
const NUMBERS = ['median', 'min', 'max'] as const

function flawOf(result: unknown): string | undefined {
  const given = Object(result) as Partial<Figure>
  const text = TEXTS.find((field) => typeof given[field] !== 'string')
  const number = NUMBERS.find((field) => typeof given[field] !== 'number')
  const field = text ?? number
  if (field !== undefined) return `"${field}" is ${JSON.stringify(given[field])}`
  const isList = Array.isArray(given.values) && given.values.every((it) => typeof it === 'number')
  return isList ? undefined : `"values" is ${JSON.stringify(given.values)}`
}
