import { ConfigError } from '../../lib/errors.ts'
import type { Millis } from '../../lib/types.ts'

/** Something that stands in a picture: one character, or a group with its parentheses. */
export interface Mark {
  /** Its column, in ms. A group stands in the column of its `(`. */
  readonly at: Millis
  /** Without spaces. */
  readonly text: string
  /** Where each character of `text` stands in the picture as it was written, from 1. */
  readonly positions: readonly number[]
}

/** A picture that has been read. */
export interface Picture {
  readonly marks: readonly Mark[]
  /** Its width, in ms. */
  readonly length: Millis
}

/** What follows a space, or begins a picture, and lets time pass: `10ms`, `1.5s`, `2m`. */
const TIME = /^(\d+(?:\.\d+)?)(ms|s|m)(?= |$)/
const UNIT = { ms: 1, s: 1_000, m: 60_000 }

/**
 * Reads a picture by the rules of RxJS's marbles: a character is a column of 1 ms, `-` lets it pass,
 * spaces are ignored, a time between spaces lets that time pass, and what stands in parentheses
 * happens in the column of the `(`, while all of it takes its columns.
 *
 * Throws `ConfigError` for parentheses that do not close, or were not opened.
 */
export function readPicture(name: string, picture: string): Picture {
  const marks: Mark[] = []
  let at = 0
  for (let i = 0; i < picture.length;) {
    const time = i === 0 || picture[i - 1] === ' ' ? TIME.exec(picture.slice(i)) : null
    if (time !== null) {
      at += Number(time[1]) * UNIT[time[2] as keyof typeof UNIT]
      i += time[0].length
      continue
    }
    const end = picture[i] === '(' ? closing(name, picture, i) : i
    const positions = range(i, end).filter((position) => picture[position] !== ' ')
    const text = positions.map((position) => picture[position]).join('')
    if (text === ')') throw misdrawn(name, picture, i, 'after a ( that it closes')
    if (text !== '' && text !== '-') {
      marks.push({ at, text, positions: positions.map((position) => position + 1) })
    }
    at += text.length
    i = end + 1
  }
  return { marks, length: at }
}

/** What is wrong in a picture: `index` counts from 0, what is said from 1. */
export function misdrawn(
  name: string,
  picture: string,
  index: number,
  expected: string,
): ConfigError {
  const where = `character ${index + 1} of ${name} '${picture}'`
  return new ConfigError(where, picture[index] ?? 'the end', expected)
}

function closing(name: string, picture: string, opening: number): number {
  const end = picture.slice(opening + 1).search(/[()]/) + opening + 1
  if (picture[end] !== ')' || end === opening) {
    throw misdrawn(name, picture, opening, 'closed by a ) before anything else is opened')
  }
  return end
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
