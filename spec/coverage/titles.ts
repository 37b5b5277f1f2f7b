import ts from 'typescript'

/** A test, by the titles that lead to it, the outermost first, joined by spaces. */
export interface Title {
  readonly file: string
  readonly text: string
}

const SUITES = ['describe', 'suite']
const TESTS = ['it', 'test']

/** The tests of a source file, as it would name them: those that are skipped are not there. */
export function titlesIn(file: string, source: string): readonly Title[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const titles: Title[] = []
  const visit = (node: ts.Node, above: string): void => {
    const block = ts.isCallExpression(node) ? blockOf(node) : undefined
    if (block?.isSkipped === true) return
    const text = block === undefined ? above : `${above} ${block.title}`.trim()
    if (block?.isTest === true) titles.push({ file, text })
    ts.forEachChild(node, (child) => visit(child, text))
  }
  visit(tree, '')
  return titles
}

interface Block {
  readonly isTest: boolean
  readonly isSkipped: boolean
  /** With the strings of the rows of an inline `each`, which may stand in it. */
  readonly title: string
}

/** `it('title', …)`, `describe.each(rows)('title', …)` and their like. */
function blockOf(call: ts.CallExpression): Block | undefined {
  const { name, modifiers, rows } = calleeOf(call.expression)
  const isTest = TESTS.includes(name)
  const [title, body] = call.arguments
  if (!isTest && !SUITES.includes(name)) return undefined
  if (title === undefined || body === undefined) return undefined
  return {
    isTest,
    isSkipped: modifiers.includes('skip') || modifiers.includes('todo'),
    title: [textOf(title), ...rows.flatMap(rowTitles)].join(' '),
  }
}

interface Callee {
  readonly name: string
  readonly modifiers: readonly string[]
  /** What `each` and `for` are called with. */
  readonly rows: readonly ts.Expression[]
}

/** Follows `it.runIf(…).each(rows)` to its beginning. */
function calleeOf(expression: ts.Expression): Callee {
  if (ts.isIdentifier(expression)) return { name: expression.text, modifiers: [], rows: [] }
  if (ts.isPropertyAccessExpression(expression)) {
    const inner = calleeOf(expression.expression)
    return { ...inner, modifiers: [...inner.modifiers, expression.name.text] }
  }
  if (ts.isCallExpression(expression)) {
    const inner = calleeOf(expression.expression)
    const isTable = ['each', 'for'].includes(inner.modifiers.at(-1) ?? '')
    return { ...inner, rows: isTable ? [...inner.rows, ...expression.arguments] : inner.rows }
  }
  return { name: '', modifiers: [], rows: [] }
}

/** The strings of which a row's title can be made: the rows themselves, or their cells. */
function rowTitles(table: ts.Expression): readonly string[] {
  if (!ts.isArrayLiteralExpression(table)) return []
  return table.elements
    .flatMap((row) => (ts.isArrayLiteralExpression(row) ? [...row.elements] : [row]))
    .map(textOf)
    .filter((text) => text !== '')
}

/** A string, also one that is put together: what stands for a value in it is left out. */
function textOf(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node)) {
    return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('')
  }
  return ts.isBinaryExpression(node) ? textOf(node.left) + textOf(node.right) : ''
}
