import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'

/** One import of a file: what it names, and whether only types come with it. */
interface Import {
  readonly from: string
  readonly typeOnly: boolean
}

/** What the rules look at in one file. */
interface Source {
  readonly path: string
  readonly imports: readonly Import[]
  /** Names that the file uses without declaring them, and members of such names: `Math.random`. */
  readonly globals: ReadonlySet<string>
  /** Forms of the language that this project does without. */
  readonly forms: readonly string[]
}

const FOLDERS = ['lib', 'operators', 'adapters', 'testing', 'kv', 'examples', 'bench', 'spec']

const PUBLIC =
  /^rxraft(\/(operators|testing|client|client\/server|client\/websocket|kv|storage\/[a-z]+|transport\/[a-z]+))?$/

/** The only helpers of lib whose values, not only their types, an adapter needs. */
const ADAPTER_VALUES = ['lib/errors.ts', 'lib/batch.ts', 'lib/slab.ts', 'lib/members.ts']

/** What the client shares with the engine besides: it keeps the same names, limits and encoding. */
const CLIENT_VALUES = [
  ...ADAPTER_VALUES,
  ...['lib/sessions.ts', 'operators/codec.ts', 'operators/fifo.ts'],
  'operators/numbered.ts',
  ...['operators/engine/deadlines.ts', 'operators/engine/monotonic.ts'],
]

/** Everything through which the world could enter a pure function. */
const IMPURE = [
  ...['Date', 'Math.random', 'performance', 'console', 'process', 'Buffer', 'crypto', 'globalThis'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'Promise', 'fetch', 'require'],
]

/** Clocks and chance: streams take them from a scheduler or a seeded source that is passed in. */
const CLOCK_AND_CHANCE = ['Date', 'Math.random', 'performance', 'setTimeout', 'setInterval']

/** Where time and chance come from when nobody passes in others. */
const DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  'operators/engine/monotonic.ts': ['performance', 'setTimeout'],
  'operators/engine/options.ts': ['Math.random'],
}

/** What is excused and no longer happens. */
export const idleExcuses = (): string[] =>
  Object.entries(DEFAULTS).flatMap(([path, names]) => {
    const { globals } = parse(path, existsSync(path) ? readFileSync(path, 'utf8') : '')
    return names.filter((name) => !globals.has(name)).map((name) => `${path}: ${name}`)
  })

/** Each TypeScript file of the project, as a path with forward slashes. */
export function projectFiles(): string[] {
  return FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => posix.join(folder, file.replaceAll('\\', '/'))),
  )
}

/** What the file at `path` does that its place in the project forbids: a sentence each. */
export function violations(path: string, text = readFileSync(path, 'utf8')): string[] {
  const source = parse(path, text)
  return [
    ...source.imports.filter((it) => !mayImport(source.path, it)).map((it) => tell(path, it)),
    ...forbiddenGlobals(path)
      .filter((name) => source.globals.has(name))
      .map((name) => `${path} uses ${name}`),
    ...source.forms.map((form) => `${path} has ${form}`),
  ]
}

function tell(path: string, it: Import): string {
  return `${path} imports ${it.typeOnly ? 'types' : 'values'} from ${it.from}`
}

function forbiddenGlobals(path: string): readonly string[] {
  switch (folderOf(path)) {
    case 'lib':
      return IMPURE
    case 'operators':
    case 'adapters':
    case 'testing':
      return CLOCK_AND_CHANCE.filter((name) => !DEFAULTS[path]?.includes(name))
    default:
      return []
  }
}

function mayImport(path: string, { from, typeOnly }: Import): boolean {
  const target = from.startsWith('.') ? posix.join(posix.dirname(path), from) : undefined
  const folder = target === undefined ? undefined : folderOf(target)
  switch (folderOf(path)) {
    case 'lib':
      return folder === 'lib' && from.endsWith('.ts')
    case 'operators':
      if (target === undefined) return isRx(from) || (from === 'msgpackr' && isCodec(path))
      return folder === 'lib' || folder === 'operators'
    case 'adapters':
      if (target === undefined) return isRx(from) || from === 'msgpackr' || from.startsWith('node:')
      if (folder === 'adapters') return true
      if (typeOnly) return folder === 'lib' || folder === 'operators'
      return (isClient(path) ? CLIENT_VALUES : ADAPTER_VALUES).includes(target)
    case 'testing':
      if (target === undefined) return isRx(from)
      return ['lib', 'operators', 'testing'].includes(folder!) || isMemoryAdapter(target)
    case 'kv':
    case 'examples':
      if (target !== undefined) return folder === folderOf(path)
      return !from.startsWith('rxraft') || PUBLIC.test(from)
    default:
      return target !== undefined || !from.startsWith('rxraft') || PUBLIC.test(from)
  }
}

const folderOf = (path: string): string => path.split('/')[0]!
const isRx = (from: string): boolean => from === 'rxjs' || from === 'rxjs/testing'
const isCodec = (path: string): boolean => path === 'operators/codec.ts'
const isClient = (path: string): boolean => /^adapters\/client[./]/.test(path)
const isMemoryAdapter = (path: string): boolean => /^adapters\/[a-z]+\/memory\.ts$/.test(path)

function parse(path: string, text: string): Source {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
  const imports: Import[] = []
  const forms: string[] = []
  const used = new Set<string>()
  const declared = new Set<string>()
  const visit = (node: ts.Node): void => {
    imports.push(...importsOf(node))
    const form = formOf(node)
    if (form !== undefined) forms.push(form)
    if (ts.isIdentifier(node)) (isDeclared(node) ? declared : used).add(nameOf(node))
    ts.forEachChild(node, visit)
  }
  visit(file)
  const globals = new Set([...used].filter((name) => !declared.has(name)))
  return { path, imports, globals, forms }
}

function importsOf(node: ts.Node): Import[] {
  if (ts.isImportDeclaration(node)) {
    const clause = node.importClause
    return [
      { from: textOf(node.moduleSpecifier), typeOnly: clause !== undefined && isTypes(clause) },
    ]
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    const names = node.exportClause
    const typeOnly =
      node.isTypeOnly ||
      (names !== undefined && ts.isNamedExports(names) && names.elements.every((e) => e.isTypeOnly))
    return [{ from: textOf(node.moduleSpecifier), typeOnly }]
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return [{ from: textOf(node.argument.literal), typeOnly: true }]
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return [{ from: textOf(node.arguments[0]!), typeOnly: false }]
  }
  return []
}

function isTypes(clause: ts.ImportClause): boolean {
  if (clause.isTypeOnly) return true
  const names = clause.namedBindings
  if (clause.name !== undefined || names === undefined || !ts.isNamedImports(names)) return false
  return names.elements.every((element) => element.isTypeOnly)
}

const textOf = (node: ts.Node): string =>
  ts.isStringLiteralLike(node) ? node.text : node.getText()

function formOf(node: ts.Node): string | undefined {
  if (ts.isEnumDeclaration(node)) return `enum ${node.name.text}`
  if (ts.isModuleDeclaration(node) && node.name.text !== 'global')
    return `namespace ${node.name.text}`
  if (ts.isExportAssignment(node)) return 'export default'
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : []
  const isDefault = modifiers.some((it) => it.kind === ts.SyntaxKind.DefaultKeyword)
  return isDefault ? 'export default' : undefined
}

/** `Math.random` for the `random` in it, else the name itself. */
function nameOf(node: ts.Identifier): string {
  const { parent } = node
  const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node
  return isMember ? `${parent.expression.getText()}.${node.text}` : node.text
}

/** Whether the identifier gives something its name, rather than asking for what has it. */
function isDeclared(node: ts.Identifier): boolean {
  const parent = node.parent as ts.Node & { name?: ts.Node }
  const asks = ts.isPropertyAccessExpression(parent) || ts.isShorthandPropertyAssignment(parent)
  return parent.name === node && !asks
}
