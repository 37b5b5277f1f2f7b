import { dot, lineY, ruleX, vector, type Markish } from '@observablehq/plot'
import { chart, type Axis, type Chart } from './chart.ts'
import { AIM } from './palette.ts'
import { roundOf } from './round.ts'

/** What was measured under one load after the other. */
export interface Curve {
  readonly colour: string
  readonly points: readonly Point[]
  readonly isDashed?: boolean
}

export interface Point {
  readonly load: number
  readonly median: number
  readonly min: number
  readonly max: number
}

/** What is aimed at under one load. */
export interface Aim {
  readonly load: number
  readonly value: number
}

interface Curves {
  /** What the load is. */
  readonly x: string
  readonly xScale: Axis['scale']
  /** What was measured, and its unit. */
  readonly y: string
  readonly curves: readonly Curve[]
  readonly aims: readonly Aim[]
}

/**
 * The medians joined by lines, bars from the least to the most, and a dash for each aim; values on a logarithmic
 * axis. No chart where nothing was measured.
 */
export function curvesOf({ x, xScale, y, curves, aims }: Curves): Chart[] {
  const points = curves.flatMap((curve) => curve.points)
  if (points.length === 0) return []
  const values = [...points.flatMap(({ min, max }) => [min, max]), ...aims.map((aim) => aim.value)]
  const loads: Axis = {
    ...{ label: x, scale: xScale, format: String },
    ticks: [...new Set(points.map(({ load }) => load))],
  }
  const marks = [...curves.flatMap(marksOf), dashes(aims)]
  return [chart(loads, { label: y, scale: 'log', ...roundOf(values) }, marks)]
}

function marksOf({ colour, points, isDashed = false }: Curve): Markish[] {
  const line = {
    x: 'load',
    y: 'median',
    stroke: colour,
    ...(isDashed && { strokeDasharray: '4 3' }),
  }
  const bar = { x: 'load', y1: 'min', y2: 'max', stroke: colour, strokeWidth: 2, opacity: 0.5 }
  return [
    lineY(points, line),
    ruleX(points, bar),
    dot(points, { x: 'load', y: 'median', fill: colour, r: 2.5 }),
  ]
}

const dashes = (aims: readonly Aim[]): Markish =>
  vector(aims, {
    ...{ x: 'load', y: 'value', length: 24, rotate: 90, anchor: 'middle', shape: dash },
    ...{ stroke: AIM, strokeWidth: 2, strokeDasharray: '5 2' },
  })

/** A straight line: by itself the library draws an arrow. */
const dash = {
  draw(context: Pen, length: number) {
    context.moveTo(0, 0)
    context.lineTo(0, -length)
  },
}

interface Pen {
  moveTo(x: number, y: number): void
  lineTo(x: number, y: number): void
}
