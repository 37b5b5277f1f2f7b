import { dot, line, ruleX, type Markish } from '@observablehq/plot'
import { chart, type Axis, type Chart } from './chart.ts'
import { AIM } from './palette.ts'

/** How many of all values lie below each: the whole distribution. */
export interface Share {
  readonly colour: string
  /** In ascending order. */
  readonly sorted: readonly number[]
  readonly isDashed?: boolean
}

/** A value, and the part of all that it is known to exceed or to equal. */
export interface Mark {
  readonly colour: string
  readonly value: number
  readonly part: number
}

/** So many points are drawn at most: a file of thousands shows no more. */
const POINTS = 200

/**
 * From left to right the values, and upwards the part of all that are no larger. What is off the axis stays at its
 * ends. No chart where there are no values.
 */
export function sharesOf(
  x: Axis,
  shares: readonly Share[],
  { marks = [], aims = [] }: { marks?: readonly Mark[]; aims?: readonly number[] } = {},
): Chart[] {
  const drawn = shares.filter(({ sorted }) => sorted.length > 0)
  if (drawn.length === 0) return []
  return [
    chart(x, PARTS, [
      ...drawn.map(lineOf),
      dot(marks, { x: 'value', y: 'part', fill: 'colour', r: 3.5 }),
      ruleX(aims, { stroke: AIM, strokeWidth: 2, strokeDasharray: '5 2' }),
    ]),
  ]
}

const PARTS: Axis = {
  label: 'part of all',
  scale: 'linear',
  domain: [0, 1],
  ticks: [0, 0.25, 0.5, 0.75, 1],
  format: (part) => `${100 * part} %`,
}

function lineOf({ colour, sorted, isDashed = false }: Share): Markish {
  const count = Math.min(POINTS, sorted.length)
  const points = Array.from({ length: count + 1 }, (_, i) => {
    const part = i / count
    return { value: sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)], part }
  })
  const dashes = isDashed ? { strokeDasharray: '4 3' } : {}
  return line(points, { x: 'value', y: 'part', stroke: colour, ...dashes })
}
