import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture } from './run.mjs'

/**
 * Uses installed packages from an ES module and from a CommonJS one: both get the same names, and an error that one
 * copy of core threw is known to the other.
 */
export async function useInstalled(packed, directory) {
  const names = packed.flatMap(({ manifest }) => doors(manifest))
  const program = join(directory, 'consumer.mjs')
  writeFileSync(program, consumer(names))
  await capture(process.execPath, [program], { cwd: directory })
  for (const { manifest } of packed) {
    for (const path of Object.values(manifest.bin ?? {})) {
      const bin = join(directory, 'node_modules', manifest.name, path)
      const said = await capture(process.execPath, [bin, '--version'], { cwd: directory })
      if (said.trim() !== manifest.version) throw new Error(`${manifest.name}: --version says ${said.trim()}`)
    }
  }
}

/** What can be imported of a package: `@stowage/x`, and `@stowage/x/y` where it has such an entry point. */
function doors({ name, exports }) {
  const paths = Object.keys(exports).filter((path) => path !== './package.json')
  return paths.map((path) => name + path.slice(1))
}

const consumer = (names) => `import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
const own = (module) => Object.keys(module).filter((name) => name !== 'default' && name !== '__esModule').sort()
for (const name of ${JSON.stringify(names)}) {
  const imported = await import(name)
  const required = require(name)
  assert.notEqual(own(imported).length, 0, name + ' exports nothing')
  assert.deepEqual(own(imported), own(required), name + ' differs between import and require')
}
const esm = await import('@stowage/backup-core')
const cjs = require('@stowage/backup-core')
assert.ok(cjs.isBackupError(new esm.BackupError('ABORTED', 'x'), 'ABORTED'))
assert.ok(esm.isBackupError(new cjs.BackupError('ABORTED', 'x'), 'ABORTED'))
`
