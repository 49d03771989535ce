import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { capture } from './run.mjs'

/** The packages that the quickstart runs on. */
const packages = ['backup-core', 'backup-posix', 'compression-zlib', 'cli']

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** Installs and builds whatever is missing or older than its sources. Says what it does through `say`. */
export async function prepare(root, say) {
  if (!existsSync(join(root, 'node_modules', 'tsup'))) {
    await step('npm ci', () => capture(npm, ['ci'], { cwd: root }), say)
  }
  const stale = packages.filter((name) => isStale(join(root, 'packages', name)))
  if (stale.length > 0)
    await step(`build ${stale.join(', ')}`, () => Promise.all(stale.map((name) => build(root, name))), say)
}

/** Without the types, which take nine tenths of the time and which nothing here reads; `npm run build` makes them. */
function build(root, name) {
  return capture(npm, ['run', 'build', '--', '--no-dts'], { cwd: join(root, 'packages', name) })
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
    .map((entry) => join(entry.parentPath.slice(directory.length), entry.name))
}
