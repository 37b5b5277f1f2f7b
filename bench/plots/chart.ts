import { axisX, axisY, gridY, plot, type Markish } from '@observablehq/plot'
import { parseHTML } from 'linkedom'

/** One system of axes with what is drawn in it. */
export interface Chart {
  readonly height: number
  /** The chart as a part of an SVG, at this place of it. */
  draw(x: number, y: number, width: number): string
}

export interface Axis {
  readonly label: string
  readonly scale: 'linear' | 'log' | 'sqrt'
  /** Where it is marked. */
  readonly ticks: readonly number[]
  readonly format: (value: number) => string
  /** From and to. Default: what is drawn. */
  readonly domain?: readonly [from: number, to: number]
}

/** What is drawn into the document of a page that nobody looks at: Node has none. */
const { document } = parseHTML('<html></html>') as { readonly document: unknown }

const HEIGHT = 240
const GAP = 12

export const chart = (x: Axis, y: Axis, marks: readonly Markish[]): Chart => ({
  height: HEIGHT + GAP,
  draw: (left, top, width) => {
    const drawn = plot({
      document,
      ...{ width, height: HEIGHT, marginLeft: 44, marginRight: 8, marginTop: 28, marginBottom: 36 },
      ...{ style: { fontSize: '11px' }, insetLeft: 10, insetRight: 10 },
      ...{ x: scaleOf(x), y: scaleOf(y) },
      marks: [
        gridY(y.ticks),
        axisX(x.ticks, { ...axisOf(x), labelAnchor: 'center' }),
        axisY(y.ticks, { ...axisOf(y), labelAnchor: 'top' }),
        ...marks,
      ],
    }) as unknown as Element
    // Its rules are meant for a whole page: a part of an SVG would be stretched by them.
    drawn.querySelector('style').remove()
    drawn.setAttribute('x', `${left}`)
    drawn.setAttribute('y', `${top}`)
    return rounded(drawn.outerHTML)
  },
})

/** The part of the DOM that is needed: the project has no types for browsers. */
interface Element {
  readonly outerHTML: string
  querySelector(selector: string): { remove(): void }
  setAttribute(name: string, value: string): void
}

/** What is off an axis is drawn at its end. */
const scaleOf = ({ scale, domain }: Axis) => ({
  ...{ type: scale, clamp: true },
  ...(domain && { domain }),
})

/** Every tick has a text: by itself the library leaves some out on a logarithmic axis. */
const axisOf = ({ label, format }: Axis) => ({
  ...{ label, labelArrow: 'none' as const, text: format },
})

/** Tenths of a pixel are enough. */
const rounded = (markup: string): string =>
  markup.replace(/-?\d+\.\d{3,}/g, (number) => `${Number(Number(number).toFixed(1))}`)
