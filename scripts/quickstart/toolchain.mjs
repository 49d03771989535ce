import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { capture } from './run.mjs'

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** Installs and builds whatever is missing or older than its sources. Says what it does through `say`. */
export async function prepare(root, say) {
  if (!existsSync(join(root, 'node_modules', 'tsup'))) {
    await step('npm ci', () => installAsLocked(root), say)
  }
  const stale = packagesBehind(root, '@stowage/cli').filter(isStale)
  if (stale.length === 0) return
  const names = stale.map((directory) => relative(join(root, 'packages'), directory)).join(', ')
  await step(`build ${names}`, () => build(root, stale), say)
}

/** What the lock file names. */
async function installAsLocked(root) {
  try {
    await capture(npm, ['ci'], { cwd: root })
  } catch (error) {
    // A registry without the builds of other platforms leaves them out of the lock file, and npm 11 then calls it
    // incomplete. This takes the versions of the lock file too, and leaves the file as it is.
    if (!error.message.includes('from lock file')) throw error
    await capture(npm, ['install', '--no-save'], { cwd: root })
  }
}

/** The directories of a package and of all that it needs, read from their package.json files. */
function packagesBehind(root, name, found = new Map()) {
  if (found.has(name)) return []
  const directory = join(root, 'packages', name.slice('@stowage/'.length))
  found.set(name, directory)
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) {
    if (needed.startsWith('@stowage/')) packagesBehind(root, needed, found)
  }
  return [...found.values()]
}

async function build(root, stale) {
  if (stale.some(hasTypes)) {
    const args = ['exec', '--', 'lerna', 'run', 'build', '--scope', '@stowage/cli', '--include-dependencies']
    await capture(npm, args, { cwd: root })
    return
  }
  // A fresh clone has no types that could be lost, and none are needed here: without them it takes seconds, and no
  // package waits for another. `npm run build` makes them.
  await Promise.all(
    stale.map((directory) => capture(npm, ['run', 'build', '--', '--no-dts'], { cwd: directory })),
  )
}

function hasTypes(directory) {
  return existsSync(join(directory, 'dist', 'index.d.ts'))
}

async function step(name, work, say) {
  const startMs = performance.now()
  say(`First, once: ${name} …`)
  await work()
  say(`  done in ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
}

function isStale(directory) {
  const built = join(directory, 'dist', 'index.js')
  if (!existsSync(built)) return true
  const sources = ['package.json', 'tsup.config.ts', ...filesUnder(directory, 'src')]
  const builtMs = statSync(built).mtimeMs
  return sources.some((path) => statSync(join(directory, path)).mtimeMs > builtMs)
}

function filesUnder(directory, folder) {
  return readdirSync(join(directory, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
}
