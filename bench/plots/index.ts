/** Draws the plots of docs/performance.md from what `npm run bench -- … --json FILE` has written. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { drawingsOf } from './drawings.ts'
import { recordIn } from './record.ts'

const USAGE = `npm run bench:plots -- FILE… [--out DIR]

  FILE       what \`npm run bench -- … --json FILE\` has written; of figures that several have the last one's are drawn
  --out DIR  where the plots are (default docs/performance); those of which no file has figures stay as they are`

function draw(args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { out: { type: 'string', default: 'docs/performance' } },
  })
  if (positionals.length === 0) throw new Error(USAGE)
  const drawings = drawingsOf(positionals.map((name) => recordIn(readFileSync(name, 'utf8'), name)))
  if (drawings.length === 0) throw new Error('there is nothing to draw in these files')
  mkdirSync(values.out, { recursive: true })
  for (const { file, svg } of drawings) {
    writeFileSync(join(values.out, file), svg)
    console.log(join(values.out, file))
  }
}

try {
  draw(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
