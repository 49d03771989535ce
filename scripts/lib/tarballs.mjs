import { mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { capture, npm } from './run.mjs'

/** Packs packages as npm would publish them; returns each with the path of its tarball. */
export async function pack(all, directory) {
  mkdirSync(directory)
  const flags = ['--json', '--ignore-scripts', '--pack-destination', directory]
  const one = async (item) => {
    const [{ filename }] = JSON.parse(await capture(npm, ['pack', ...flags], { cwd: item.directory }))
    return { ...item, tarball: join(directory, filename) }
  }
  return Promise.all(all.map(one))
}

/**
 * Makes a project with the tarballs in its node_modules, and beside them exactly what their manifests ask for. No
 * registry is asked: what other projects make is linked from here. A package that imports something it does not
 * declare fails, as it would for a user.
 */
export async function installTarballs(packed, directory) {
  mkdirSync(join(directory, 'node_modules', '@stowage'), { recursive: true })
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  for (const { manifest, tarball, directory: source } of packed) {
    const target = join(directory, 'node_modules', manifest.name)
    mkdirSync(target)
    await capture('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (!name.startsWith('@stowage/')) link(name, source, target)
    }
  }
}

function link(name, source, target) {
  const place = join(target, 'node_modules', name)
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(packageDirectory(name, source), place, 'junction')
}

function packageDirectory(name, from) {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  for (const place of places) {
    const directory = join(place, name)
    try {
      readFileSync(join(directory, 'package.json'))
      return realpathSync(directory)
    } catch {
      continue
    }
  }
  throw new Error(`${name} is not installed; run npm ci.`)
}
