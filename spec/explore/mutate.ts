import { build } from 'esbuild'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Reduce } from './server.ts'

/** A defect planted in one file of `lib/`: text that stands there once, and what replaces it. */
export interface Mutation {
  readonly file: string
  readonly text: string
  readonly by: string
}

const LIB = fileURLToPath(new URL('../../lib/', import.meta.url))

/** The engine with a defect, bundled in memory from the sources as they are now. */
export async function mutated({ file, text, by }: Mutation): Promise<Reduce> {
  const { outputFiles } = await build({
    entryPoints: [`${LIB}step.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'silent',
    plugins: [
      {
        name: 'plant',
        setup: ({ onLoad }) =>
          onLoad({ filter: new RegExp(`/lib/${file}$`) }, async ({ path }) => ({
            contents: plant(await readFile(path, 'utf8'), text, by),
            loader: 'ts',
          })),
      },
    ],
  })
  const code = Buffer.from(outputFiles[0]!.contents).toString('base64')
  const { reduce } = (await import(`data:text/javascript;base64,${code}`)) as { reduce: Reduce }
  return reduce
}

/** A defect that no longer fits the source must not pass for one that was found. */
function plant(source: string, text: string, by: string): string {
  const parts = source.split(text)
  if (parts.length !== 2)
    throw new Error(`"${text}" stands ${parts.length - 1} times in the source`)
  return parts.join(by)
}
