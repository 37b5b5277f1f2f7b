import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { plant, type Mutant } from './mutant.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const entry = fileURLToPath(new URL('hunt.ts', import.meta.url))

/** The hunt as one module, with the mutant planted in the engine that it simulates, if there is one. */
export async function bundle(mutant?: Mutant): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    logLevel: 'silent',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    plugins: mutant === undefined ? [] : [planting(mutant)],
  })
  return outputFiles[0]!.text
}

/** The defect lives in the bundle alone: no file changes. */
const planting = (mutant: Mutant): Plugin => ({
  name: 'mutant',
  setup({ onLoad, onEnd }) {
    let isPlanted = false
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (path !== resolve(root, mutant.file)) return undefined
      isPlanted = true
      return { contents: plant(mutant, readFileSync(path, 'utf8')), loader: 'ts' }
    })
    onEnd(() =>
      isPlanted ? undefined : { errors: [{ text: `the simulator never loads ${mutant.file}` }] },
    )
  },
})
