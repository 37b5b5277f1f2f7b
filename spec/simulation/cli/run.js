// Bundles a TypeScript program into data/bundles and runs it with the arguments that follow:
// a bundle runs several times faster than sources that are compiled one by one.
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const [program, ...args] = process.argv.slice(2)
const outfile = join(
  'data',
  'bundles',
  `${basename(dirname(program))}-${basename(program, '.ts')}.mjs`,
)
await build({
  entryPoints: [program],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
})
process.argv = [process.argv[0], outfile, ...args]
await import(pathToFileURL(outfile).href)
