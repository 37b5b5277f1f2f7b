import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import { build } from 'esbuild'
import { list } from './list.ts'
import { figure } from './report.ts'
import type { Suite } from './suite.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** In thousands of bytes. */
const TARGET = 15

export const size: Suite = {
  name: 'size',
  about: 'the entry rxraft, minified and compressed with brotli, without rxjs and msgpackr',
  run: async (_effort, _ground, print) => {
    const bytes = await minified('operators/engine/index.ts')
    const measured = { suite: 'size', case: 'rxraft', unit: 'kB' }
    const packed = brotliCompressSync(bytes).length
    const found = [
      figure({ ...measured, metric: 'minified', values: [bytes.length / 1000] }),
      figure({ ...measured, metric: 'brotli', values: [packed / 1000], aim: { atMost: TARGET } }),
    ]
    print(list(found))
    return found
  },
}

export async function minified(entry: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['rxjs', 'msgpackr'],
  })
  return outputFiles[0]!.contents
}
