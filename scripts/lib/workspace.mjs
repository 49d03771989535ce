import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { capture, npm, root } from './run.mjs'

/** Every package of `packages/` that is published: its directory and its package.json. */
export function packages() {
  return readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name))
    .filter((directory) => existsSync(join(directory, 'package.json')))
    .map((directory) => ({ directory, manifest: readJson(join(directory, 'package.json')) }))
    .filter(({ manifest }) => manifest.private !== true)
}

export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** Installs what the lock file names, unless that is what is there. */
export async function install() {
  const reason = whyInstall()
  if (reason === undefined) {
    console.log('    node_modules is what package-lock.json says')
    return
  }
  console.log(`    npm ci: ${reason}`)
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  try {
    await capture(npm, ['ci', ...quiet])
  } catch (error) {
    // A registry without the builds of other platforms leaves them out of the lock file, and npm 11 then calls it
    // incomplete. This takes the versions of the lock file too, and leaves the file as it is.
    if (!error.message.includes('from lock file')) throw error
    console.log('    npm ci finds the lock file incomplete: npm install --no-save')
    await capture(npm, ['install', '--no-save', ...quiet])
  }
}

/** Compares names and versions, not times: a checkout gives every file a new time. */
function whyInstall() {
  const noted = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(noted)) return 'there is no node_modules yet'
  const present = readJson(noted).packages
  const wanted = Object.entries(readJson(join(root, 'package-lock.json')).packages)
  const differs = ([path, { version, link, optional }]) =>
    path.includes('node_modules/') && !link && !optional && present[path]?.version !== version
  const [path] = wanted.find(differs) ?? []
  return path === undefined
    ? undefined
    : `${path.replace(/^.*node_modules\//, '')} is not what package-lock.json says`
}

/**
 * Builds every package whose output is missing or older than what it is made of. Type declarations take three quarters of a
 * build, and only users of the packages read them: they are built where asked for, and where they would be lost.
 */
export async function build({ types = false, signal } = {}) {
  const stale = packages().filter((one) => isStale(one, types))
  if (stale.length === 0) {
    console.log('    every package is built')
    return
  }
  const withTypes = types || stale.some(hasTypes)
  console.log(
    `    ${stale.map(({ manifest }) => manifest.name).join(', ')}${withTypes ? '' : ', without declarations'}`,
  )
  const scopes = stale.flatMap(({ manifest }) => ['--scope', manifest.name])
  // Only declarations are made from those of other packages.
  const rest = withTypes ? [] : ['--no-sort', '--', '--no-dts']
  await capture('lerna', ['run', 'build', '--skip-nx-cache', ...scopes, ...rest], { signal })
}

const isDeclaration = (path) => /\.d\.c?ts$/.test(path)

const hasTypes = ({ directory, manifest }) =>
  builtFiles(manifest).some((path) => isDeclaration(path) && existsSync(join(directory, path)))

function isStale({ directory, manifest }, types) {
  const outputs = builtFiles(manifest)
    .filter((path) => types || !isDeclaration(path))
    .map((path) => join(directory, path))
  if (!outputs.every((path) => existsSync(path))) return true
  const oldest = Math.min(...outputs.map((path) => statSync(path).mtimeMs))
  return [...sources(directory), ...bundledSources(manifest)].some((path) => statSync(path).mtimeMs > oldest)
}

/** Every file that the manifest promises, as a path below the package. */
export function builtFiles(manifest) {
  const found = new Set()
  const collect = (value) => {
    if (typeof value === 'string') found.add(value.replace(/^\.\//, ''))
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(collect)
  }
  for (const key of ['main', 'module', 'types', 'bin', 'exports']) collect(manifest[key])
  return [...found].filter((path) => path.startsWith('dist/'))
}

function sources(directory) {
  const own = ['package.json', 'tsup.config.ts', 'tsconfig.json'].map((name) => join(directory, name))
  const shared = ['tsup.base.ts', 'tsconfig.base.json'].map((name) => join(root, name))
  const code = ['src', 'worker'].flatMap((name) => files(join(directory, name)))
  return [...own, ...shared, ...code].filter((path) => existsSync(path))
}

/** The sources of private packages, which are bundled into those that name them. */
function bundledSources({ devDependencies = {} }) {
  return Object.keys(devDependencies)
    .filter((name) => name.startsWith('@stowage/'))
    .map((name) => join(root, 'packages', name.slice('@stowage/'.length)))
    .filter((directory) => readJson(join(directory, 'package.json')).private === true)
    .flatMap(sources)
}

function files(path) {
  if (!existsSync(path)) return []
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(path, entry.name)) : [join(path, entry.name)],
  )
}
