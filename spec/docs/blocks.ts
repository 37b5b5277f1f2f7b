import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** One fenced block of a Markdown file. */
export interface Block {
  readonly file: string
  /** Line of the opening fence, from 1. */
  readonly line: number
  /** The first word after the fence, such as `ts`; empty when there is none. */
  readonly language: string
  /** What else stands after the fence: `run`, `no-run`. */
  readonly marks: readonly string[]
  readonly code: string
}

/** README.md and the guides, those that exist. */
export function documents(): string[] {
  const guides = existsSync('docs')
    ? readdirSync('docs', { recursive: true, encoding: 'utf8' })
    : []
  return ['README.md', ...guides.map((guide) => `docs/${guide.replaceAll('\\', '/')}`)].filter(
    (file) => file.endsWith('.md') && existsSync(file),
  )
}

export function blocksOf(file: string, text = readFileSync(file, 'utf8')): Block[] {
  const blocks: Block[] = []
  let opened: { line: number; info: string; fence: string } | undefined
  let code: string[] = []
  text.split(/\r?\n/).forEach((line, i) => {
    const fence = /^(`{3,})(.*)$/.exec(line)
    if (opened === undefined) {
      if (fence !== null) opened = { line: i + 1, fence: fence[1]!, info: fence[2]! }
    } else if (line.trimEnd() === opened.fence) {
      const [language = '', ...marks] = opened.info.trim().split(/\s+/)
      blocks.push({ file, line: opened.line, language, marks, code: code.join('\n') })
      opened = undefined
      code = []
    } else {
      code.push(line)
    }
  })
  if (opened !== undefined) throw new Error(`${file}:${opened.line} opens a block without an end`)
  return blocks
}

/**
 * Whether the reader is to believe that the block runs as it stands: every `ts` block of the README
 * that is not marked `no-run`, and in the guides every one that is marked `run`.
 */
export const isRunnable = ({ file, language, marks }: Block): boolean =>
  language === 'ts' && (file === 'README.md' ? !marks.includes('no-run') : marks.includes('run'))

/** What a block promises to print, in order: the comments of the form `// → text`. */
export const promises = (code: string): string[] =>
  [...code.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1]!.trim())

/** The promised lines that were not printed, in the order in which they were promised. */
export function broken(promised: readonly string[], printed: string): string[] {
  const lines = printed.split(/\r?\n/).map((line) => line.trim())
  let at = 0
  return promised.filter((text) => {
    const found = lines.indexOf(text, at)
    if (found >= 0) at = found + 1
    return found < 0
  })
}

/** Each command of a shell block, without prompts, comments and what `&&` and `|` join. */
export const commandsOf = ({ code }: Block): string[] =>
  code
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/^\$ /, '').replace(/(^|\s)#.*$/, ''))
    .flatMap((line) => line.split(/&&|\||;/))
    .map((command) => command.trim())
    .filter((command) => command !== '')
