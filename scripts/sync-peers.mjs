#!/usr/bin/env node
// The `version` step of `lerna version`, which updates dependencies and devDependencies: peer ranges follow here.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture, npm, root } from './lib/run.mjs'
import { readJson } from './lib/workspace.mjs'

const { version } = readJson(join(root, 'lerna.json'))
const directories = ['examples', ...readdirSync(join(root, 'packages')).map((name) => join('packages', name))]
const files = directories
  .map((directory) => join(directory, 'package.json'))
  .filter((file) => existsSync(join(root, file)))
for (const file of files) {
  const manifest = JSON.parse(readFileSync(join(root, file), 'utf8'))
  for (const group of ['dependencies', 'peerDependencies', 'devDependencies']) {
    for (const name of Object.keys(manifest[group] ?? {})) {
      if (name.startsWith('@stowage/')) manifest[group][name] = `^${version}`
    }
  }
  writeFileSync(join(root, file), `${JSON.stringify(manifest, null, 2)}\n`)
}
await capture(npm, ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'])
await capture('git', ['add', 'package-lock.json', ...files])
