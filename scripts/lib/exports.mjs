import { readFileSync } from 'node:fs'
import { join } from 'node:path'

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
      const exported = exportsOf(join(directory, conditions.types))
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

/** The names of an entry point, types included: tsup writes one statement for all of them, at the end. */
function exportsOf(declarations) {
  const [, names = ''] = /export \{([^}]*)\};\s*$/.exec(readFileSync(declarations, 'utf8')) ?? []
  return names
    .split(',')
    .map((name) =>
      name
        .trim()
        .replace(/^type /, '')
        .replace(/^.* as /, ''),
    )
    .filter((name) => name !== '')
}

function namesIn(readme, title) {
  const [, section = ''] = readme.split(`\n## ${title}\n`)
  const [own = ''] = section.split('\n## ')
  return new Set([...own.matchAll(/`([A-Za-z][A-Za-z0-9_]*)`/g)].map(([, name]) => name))
}
