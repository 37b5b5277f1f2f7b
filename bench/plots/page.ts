import type { Chart } from './chart.ts'

/** Several charts under one title, with what their colours mean and where their figures come from. */
export interface Page {
  readonly title: string
  readonly key: readonly Entry[]
  /** From left to right, and then the next row. */
  readonly charts: readonly Chart[]
  readonly columns: number
  readonly caption: readonly string[]
}

/** What a colour stands for. */
export interface Entry {
  readonly name: string
  readonly colour: string
  readonly isDashed?: boolean
}

const WIDTH = 800
const MARGIN = 16
const HEAD = 64
const LINE = 16
/** About as many characters as one line of the caption holds. */
const LINE_LENGTH = 132

/** Follows whether the reader wants it light or dark, and has a ground of its own in case the page around it does not. */
const STYLE = `
svg { color: #1f2328 }
.ground { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  svg { color: #e6edf3 }
  .ground { fill: #0d1117 }
}
`

/** The page as an SVG, always the same for the same page. */
export function svg({ title, key, charts, columns, caption }: Page): string {
  const width = Math.floor((WIDTH - 2 * MARGIN) / columns)
  const height = Math.max(...charts.map((chart) => chart.height))
  const foot = HEAD + Math.ceil(charts.length / columns) * height
  const lines = caption.flatMap((text) => wrapped(text, LINE_LENGTH))
  const whole = foot + LINE * (lines.length + 1)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${whole}" font-family="system-ui, sans-serif" font-size="12" fill="currentColor">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${whole}"/>`,
    `<text x="${MARGIN}" y="24" font-size="16" font-weight="bold">${escaped(title)}</text>`,
    `<text x="${MARGIN}" y="46">${key.map(entry).join('')}</text>`,
    ...charts.map((chart, i) => {
      const x = MARGIN + (i % columns) * width
      return chart.draw(x, HEAD + Math.floor(i / columns) * height, width)
    }),
    ...lines.map(
      (line, i) =>
        `<text x="${MARGIN}" y="${foot + LINE * (i + 1)}" font-size="11" opacity="0.75">${escaped(line)}</text>`,
    ),
    '</svg>',
    '',
  ].join('\n')
}

const entry = ({ name, colour, isDashed }: Entry, i: number): string =>
  `<tspan fill="${colour}" font-weight="bold"${i === 0 ? '' : ' dx="18"'}>${isDashed ? '– –' : '●'} ${escaped(name)}</tspan>`

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** The text in lines that are no longer than that, unless a word is. */
function wrapped(text: string, length: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`
    if (lines.length > 0 && longer.length <= length) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}
