import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture, root } from './run.mjs'

/**
 * Does what docs/writing-a-backend.md tells its reader to do, in a project that has the packages installed: compiles the
 * files that it shows, strictly, and runs their tests with Node.js. Only those of `testNames`: the whole suite takes half a minute.
 */
export async function followGuide(project, testNames) {
  const folder = join(project, 'guide')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  const files = shownFiles(readFileSync(join(root, 'docs/writing-a-backend.md'), 'utf8'))
  for (const [name, code] of files) writeFileSync(join(folder, name), code)
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  const target = ['--target', 'es2023', '--module', 'nodenext', '--outDir', 'built']
  const strictness = [
    '--strict',
    '--skipLibCheck',
    '--exactOptionalPropertyTypes',
    '--noUncheckedIndexedAccess',
  ]
  await capture('tsc', [...strictness, ...target, ...types, ...files.keys()], { cwd: folder })
  const tests = ['--test', `--test-name-pattern=${testNames}`, 'built/conformance.test.js']
  const said = await capture(process.execPath, tests, { cwd: folder })
  const passed = Number(/^(?:# |ℹ )pass (\d+)$/m.exec(said)?.[1])
  if (!(passed > 0)) throw new Error(`No test of the guide's backend ran:\n${said}`)
}

/** The code blocks whose first line is the name of a file, by that name. */
function shownFiles(text) {
  const blocks = text.matchAll(/^```ts\n(\/\/ (\S+\.ts)\n[^]*?)^```$/gm)
  return new Map(Array.from(blocks, ([, code, name]) => [name, code]))
}
