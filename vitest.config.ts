import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^rxraft$/, replacement: here('operators/engine/index.ts') },
      { find: /^rxraft\/operators$/, replacement: here('operators/index.ts') },
      { find: /^rxraft\/storage\/(.*)$/, replacement: here('adapters/storage/$1.ts') },
      { find: /^rxraft\/transport\/(.*)$/, replacement: here('adapters/transport/$1.ts') },
      { find: /^rxraft\/client$/, replacement: here('adapters/client.ts') },
      { find: /^rxraft\/client\/(.*)$/, replacement: here('adapters/client/$1.ts') },
      { find: /^rxraft\/kv$/, replacement: here('kv/connect.ts') },
      { find: /^rxraft\/testing$/, replacement: here('testing/index.ts') },
    ],
  },
  test: {
    include: ['spec/**/*.spec.ts'],
    testTimeout: 20_000,
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: 'coverage/results.json' }]]
      : ['default'],
  },
})
