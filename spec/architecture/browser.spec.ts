import { build } from 'esbuild'
import { expect, it } from 'vitest'

it.each(['adapters/client/browser.ts', 'kv/connect.ts'])(
  'what a browser gets of %s has nothing of Node in it',
  async (entry) => {
    const { outputFiles } = await build({
      ...{ entryPoints: [entry], bundle: true, write: false, logLevel: 'silent' },
      ...{ format: 'esm', platform: 'browser', tsconfigRaw: {} },
      external: ['rxjs', 'msgpackr', 'rxraft/*'],
    })
    const { text } = outputFiles[0]!
    expect(text).not.toMatch(/\bBuffer\b|\brequire\(|\bprocess\.(?!getBuiltinModule)/)
  },
)
