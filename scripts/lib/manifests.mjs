import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './run.mjs'
import { builtFiles, readJson } from './workspace.mjs'

const core = '@stowage/backup-core'

/** What is wrong with the manifests of the packages, each as a line. */
export function manifestProblems(all) {
  const { version } = readJson(join(root, 'lerna.json'))
  const { engines } = readJson(join(root, 'package.json'))
  return [...all.flatMap((one) => packageProblems(one, version, engines)), ...lockProblems(all)]
}

function packageProblems({ directory, manifest }, version, engines) {
  const problems = []
  const expect = (holds, problem) => {
    if (!holds) problems.push(`${manifest.name}: ${problem}`)
  }
  expect(manifest.version === version, `version ${manifest.version}, and lerna.json says ${version}`)
  expect(manifest.engines?.node === engines.node, `engines.node has to be ${engines.node}`)
  expect(
    manifest.license === 'Apache-2.0' || manifest.name.endsWith('compressjs'),
    'the licence is not Apache-2.0',
  )
  expect(!hasInstallScript(manifest), 'has an install script')
  const place = relative(root, directory)
  expect(manifest.repository?.directory === place, `repository.directory must be ${place}`)
  expect(manifest.homepage?.includes(`/${place}#`), `homepage must lead to ${place}`)
  expect(manifest.keywords?.length > 1, 'has no keywords')
  expect(manifest.publishConfig?.access === 'public', 'publishConfig.access must be public')
  for (const file of ['README.md', 'LICENSE']) expect(existsSync(join(directory, file)), `${file} is missing`)
  for (const [name, range] of ownDependencies(manifest)) {
    expect(range === `^${version}`, `wants ${name} ${range}, and the version here is ^${version}`)
  }
  expect(!isPlugIn(manifest) || manifest.peerDependencies?.[core], `${core} is not a peer dependency`)
  expect(
    !isPlugIn(manifest) || !manifest.dependencies?.[core],
    `${core} is a dependency, and would be there twice`,
  )
  return problems
}

/** What the manifest of a package promises and the build did not make, and the reverse, each as a line. */
export function buildProblems({ directory, manifest }) {
  const promised = builtFiles(manifest)
  const missing = promised.filter((file) => !existsSync(join(directory, file)))
  const unknown = entriesOf(directory).filter((file) => !promised.includes(file))
  return [
    ...missing.map((file) => `${manifest.name}: ${file} is in package.json and not in the build`),
    ...unknown.map((file) => `${manifest.name}: ${file} is built, and nothing in package.json exports it`),
  ]
}

/** The command is a program, and brings its own core; everything else joins the one of its user. */
const isPlugIn = ({ name, bin }) => name !== core && bin === undefined

const hasInstallScript = ({ scripts = {} }) =>
  ['preinstall', 'install', 'postinstall', 'prepare'].some((name) => name in scripts)

function ownDependencies({ dependencies, peerDependencies, devDependencies }) {
  const all = [dependencies, peerDependencies, devDependencies].flatMap((group) =>
    Object.entries(group ?? {}),
  )
  return all.filter(([name]) => name.startsWith('@stowage/'))
}

/** What the build made to be imported: not maps, and not the shared pieces that tsup names by their hash. */
function entriesOf(directory) {
  const dist = join(directory, 'dist')
  if (!existsSync(dist)) return []
  const shared = /-[A-Z0-9]{8}\.(js|cjs)$/
  return readdirSync(dist, { recursive: true })
    .filter((name) => /\.(js|cjs|d\.ts|d\.cts)$/.test(name) && !shared.test(name))
    .map((name) => `dist/${name.replaceAll('\\', '/')}`)
}

/** The lock file is of these manifests. It names packages and their hashes, and no host. */
function lockProblems(all) {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const hosts = new Set(
    [...text.matchAll(/"resolved": "(?:git\+)?\w+:\/\/([^/"]+)/g)].map(([, host]) => host),
  )
  const named = [...hosts].map((host) => `package-lock.json names the host ${host}; .npmrc keeps such out`)
  const locked = JSON.parse(text).packages
  const behind = all.filter(
    ({ directory, manifest }) => !sameNeeds(manifest, locked[relative(root, directory)]),
  )
  return [
    ...named,
    ...behind.map(({ manifest }) => `package-lock.json is behind ${manifest.name}: run npm install`),
  ]
}

function sameNeeds(manifest, entry) {
  const needs = ({ dependencies, devDependencies, peerDependencies, optionalDependencies }) =>
    [dependencies, devDependencies, peerDependencies, optionalDependencies].map((group = {}) =>
      Object.entries(group)
        .map(([name, range]) => `${name}@${range}`)
        .sort(),
    )
  return entry !== undefined && JSON.stringify(needs(manifest)) === JSON.stringify(needs(entry))
}
