import { InvalidArgumentError } from 'commander'
import { HIGHEST_PRIORITY } from './plans.ts'

/** A parser as commander wants it, which names the option when its argument is refused. */
export function reads<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
    }
  }
}

/** The same for an option that can be given several times. */
export function collects<T>(parse: (text: string) => T): (text: string, before?: T[]) => T[] {
  return (text, before = []) => [...before, reads(parse)(text)]
}

export function parseWhole(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new Error(`"${text}" should be a whole number, at least 1`)
}

/** Reads `MIN-MAX`. */
export function parseRange(text: string): readonly [min: number, max: number] {
  const [, min, max] = /^(\d+)-(\d+)$/.exec(text) ?? []
  if (min === undefined || max === undefined) {
    throw new Error(`"${text}" should be MIN-MAX in ms, such as 150-300`)
  }
  return [Number(min), Number(max)]
}

/** Reads the origin of a page. */
export function parseOrigin(text: string): string {
  if (URL.canParse(text) && new URL(text).origin === text) return text
  throw new Error(`"${text}" should be an origin, such as https://shop.example`)
}

export function parsePriority(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= HIGHEST_PRIORITY) return Number(text)
  throw new Error(`"${text}" should be a whole number from 0 to ${HIGHEST_PRIORITY}`)
}

/** Reads `ID=NUMBER`. */
export function parseRanked(text: string): readonly [id: string, priority: number] {
  const [, id, priority] = /^([^=]+)=(.*)$/.exec(text) ?? []
  if (id === undefined) throw new Error(`"${text}" should be ID=NUMBER, such as a=10`)
  return [id, parsePriority(priority!)]
}
