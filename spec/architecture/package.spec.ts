import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import tsup from '../../tsup.config.ts'
import vitest from '../../vitest.config.ts'

interface Formats {
  readonly import: { readonly types: string; readonly default: string }
  readonly require: { readonly types: string; readonly default: string }
}

interface Conditions extends Formats {
  /** What stands for it in a browser. */
  readonly browser?: Formats
}

interface Manifest {
  readonly exports: Readonly<Record<string, Conditions | string>>
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest

/** Public name of each entry point and the entry of the build that it stands for. */
const entryPoints = Object.keys(manifest.exports)
  .filter((key) => key !== './package.json')
  .map((key) => ({ key, name: key.replace('.', 'rxraft'), entry: key.slice(2) || 'index' }))

const builds = (Array.isArray(tsup) ? tsup : [tsup]) as readonly {
  readonly entry: Readonly<Record<string, string>>
  readonly format: readonly string[]
}[]
const [library, application] = builds

/** Entries of the build that stand for an entry point in a browser. */
const inBrowsers: Readonly<Record<string, string>> = { client: 'client/browser' }

const formatsOf = (entry: string, types = entry): Formats => ({
  import: { types: `./dist/${types}.d.ts`, default: `./dist/${entry}.js` },
  require: { types: `./dist/${types}.d.cts`, default: `./dist/${entry}.cjs` },
})

describe('the package', () => {
  it('exports exactly what the build makes', () => {
    const exported = [...entryPoints.map((it) => it.entry), ...Object.values(inBrowsers)]
    expect(exported.sort()).toEqual(Object.keys(library!.entry).sort())
    expect(library!.format).toEqual(['esm', 'cjs'])
  })

  it.each(entryPoints)('gives $name its four files', ({ key, entry }) => {
    const instead = inBrowsers[entry]
    expect(manifest.exports[key]).toEqual({
      ...(instead !== undefined && { browser: formatsOf(instead, entry) }),
      ...formatsOf(entry),
    })
  })

  it.each(entryPoints)('builds $name from a file that exists', ({ entry }) => {
    expect(existsSync(library!.entry[entry]!)).toBe(true)
  })

  it('has the binaries that the build makes', () => {
    const made = Object.keys(application!.entry).map((entry) => `./dist/${entry}.js`)
    expect(Object.values(manifest.bin)).toEqual(made)
  })

  it.each(entryPoints)('means the same source by $name in tsconfig', ({ name, entry }) => {
    const read = ts.readConfigFile('tsconfig.json', (file) => ts.sys.readFile(file))
    const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, resolve('.'))
    const found = ts.resolveModuleName(name, 'kv/cli.ts', options, ts.sys).resolvedModule
    expect(ts.sys.resolvePath(found!.resolvedFileName)).toBe(
      ts.sys.resolvePath(library!.entry[entry]!),
    )
  })

  it.each(entryPoints)('means the same source by $name in vitest', ({ name, entry }) => {
    const aliases = (vitest as AliasConfig).resolve.alias
    const matching = aliases.filter(({ find }) => find.test(name))
    expect(matching).toHaveLength(1)
    const [{ find, replacement }] = matching as [Alias]
    expect(ts.sys.resolvePath(name.replace(find, replacement))).toBe(
      ts.sys.resolvePath(library!.entry[entry]!),
    )
  })

  it('asks for what it imports, and for nothing else', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['msgpackr'])
    expect(Object.keys(manifest.peerDependencies)).toEqual(['rxjs', 'ws'])
    expect(manifest.peerDependenciesMeta).toEqual({ ws: { optional: true } })
  })
})

interface Alias {
  readonly find: RegExp
  readonly replacement: string
}

interface AliasConfig {
  readonly resolve: { readonly alias: readonly Alias[] }
}
