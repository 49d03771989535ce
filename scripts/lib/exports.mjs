import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

/**
 * Where a README's section "Exports" differs from what a package exports, each as a line. The section names every export
 * in code quotes, in any order and with any text; a second entry point has a section of its own: "Exports of ./y".
 */
export function exportProblems({ directory, manifest }) {
  const readme = readFileSync(join(directory, 'README.md'), 'utf8')
  return Object.entries(manifest.exports)
    .filter(([entry]) => entry !== './package.json')
    .flatMap(([entry, { import: conditions }]) => {
      const title = entry === '.' ? 'Exports' : `Exports of ${entry}`
      const exported = exportsOf(join(directory, sourceOf(conditions.types)))
      const listed = namesIn(readme, title)
      const missing = exported.filter((name) => !listed.has(name))
      const unknown = [...listed].filter((name) => !exported.includes(name))
      return [
        ...missing.map((name) => `${manifest.name}: the README's section "${title}" lacks \`${name}\``),
        ...unknown.map(
          (name) =>
            `${manifest.name}: the README's section "${title}" names \`${name}\`, which is not exported`,
        ),
      ]
    })
}

/** The module that a built file is made from. */
const sourceOf = (built) => built.replace(/^\.\/dist\//, 'src/').replace(/\.d\.ts$/, '.ts')

/** The names that a module exports, types included, with those of the modules that it exports whole. */
function exportsOf(path) {
  const { statements } = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest)
  const names = statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) {
      const { exportClause: clause, moduleSpecifier: from } = statement
      if (clause === undefined) return exportsOf(join(dirname(path), from.text.replace(/\.js$/, '.ts')))
      return ts.isNamedExports(clause) ? clause.elements.map(({ name }) => name.text) : [clause.name.text]
    }
    const exported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    if (!exported) return []
    if (!ts.isVariableStatement(statement)) return [statement.name.text]
    return statement.declarationList.declarations.map(({ name }) => name.text)
  })
  return [...new Set(names)]
}

function namesIn(readme, title) {
  const [, section = ''] = readme.split(`\n## ${title}\n`)
  const [own = ''] = section.split('\n## ')
  return new Set([...own.matchAll(/`([A-Za-z][A-Za-z0-9_]*)`/g)].map(([, name]) => name))
}
