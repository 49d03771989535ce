import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The relative imports of a module that are there when it runs: `import type` and `export type` leave none. */
function importsOf(path: string, code: string): string[] {
  const statements = code.matchAll(/^(?:import|export)(?! type\b)[^'"`;=()]*?['"](\.[^'"]+)['"]/gm)
  const calls = code.matchAll(/\bimport\(['"](\.[^'"]+)['"]\)/g)
  return [...statements, ...calls].map(([, imported = '']) =>
    join(dirname(path), imported).replace(/\.js$/, '.ts'),
  )
}

/** The first cycle of imports, as the files along it; undefined where there is none. */
function findCycle(modules: ReadonlyMap<string, string>): string[] | undefined {
  const finished = new Set<string>()
  const follow = (path: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path]
    const code = finished.has(path) ? undefined : modules.get(path)
    if (code === undefined) return undefined
    for (const imported of importsOf(path, code)) {
      const cycle = follow(imported, [...way, path])
      if (cycle !== undefined) return cycle
    }
    finished.add(path)
    return undefined
  }
  for (const path of modules.keys()) {
    const cycle = follow(path, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}

const paths = ['packages', 'examples', 'test-fixtures'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => path.endsWith('.ts') && !/(^|\/)(node_modules|dist)\//.test(path)),
)
const modules = new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]))

describe('the imports of modules', () => {
  it('form no cycle', () => {
    expect(modules.size).toBeGreaterThan(300)
    expect(findCycle(modules)).toBeUndefined()
  })

  it.each([
    "import { BackupError } from '../backup/run-backup.js'",
    "import {\n  type BackupRun,\n  BackupError,\n} from '../backup/run-backup.js'",
    "export * from '../backup/run-backup.js'",
    "import '../backup/run-backup.js'",
    "const later = (): Promise<unknown> => import('../backup/run-backup.js')",
  ])('are searched for cycles through every kind of import: %s', (planted) => {
    const lowest = 'packages/backup-core/src/errors/backup-error.ts'
    const code = modules.get(lowest) ?? ''
    const cycle = findCycle(new Map(modules).set(lowest, `${planted}\n${code}`))
    expect(cycle?.[0]).toBe(cycle?.at(-1))
    expect(cycle).toEqual(expect.arrayContaining([lowest, 'packages/backup-core/src/backup/run-backup.ts']))
  })

  it('may lead back where only types are imported, which are gone when the code runs', () => {
    const lowest = 'packages/backup-core/src/errors/backup-error.ts'
    const planted = "import type { BackupRun } from '../backup/run-backup.js'\n"
    expect(findCycle(new Map(modules).set(lowest, planted + (modules.get(lowest) ?? '')))).toBeUndefined()
  })
})
