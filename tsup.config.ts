import { defineConfig, type Options } from 'tsup'

const common: Options = {
  target: 'node20',
  splitting: true,
  sourcemap: true,
  outDir: 'dist',
}

export default defineConfig([
  {
    ...common,
    entry: {
      index: 'operators/engine/index.ts',
      operators: 'operators/index.ts',
      'storage/memory': 'adapters/storage/memory.ts',
      'storage/file': 'adapters/storage/file.ts',
      'transport/memory': 'adapters/transport/memory.ts',
      'transport/tcp': 'adapters/transport/tcp.ts',
      client: 'adapters/client.ts',
      'client/browser': 'adapters/client/browser.ts',
      'client/server': 'adapters/client/server.ts',
      'client/websocket': 'adapters/client/websocket.ts',
      kv: 'kv/connect.ts',
      testing: 'testing/index.ts',
    },
    format: ['esm', 'cjs'],
    // The store's client stands on the published package, as the application does.
    external: [/^rxraft/],
    // One copy of the error classes in each format, so that `instanceof` works across entry points.
    dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  },
  {
    ...common,
    entry: { 'kv/cli': 'kv/cli.ts' },
    format: ['esm'],
    // The application stands on the published package; its own libraries are bundled.
    external: [/^rxraft/],
    banner: {
      js: "import { createRequire as rxraftRequire } from 'node:module'; const require = rxraftRequire(import.meta.url);",
    },
  },
])
