import { compressorPackageProblem } from '@stowage/backup-core'
import type { CompressorPackage } from '@stowage/backup-core'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ownNotInstalled } from '../src/compression/load-compressor.js'
import { loadPackage } from '../src/plugins/load-package.js'
import type { PackageKind } from '../src/plugins/load-package.js'
import { bz2Engines, bz2Packages } from '../src/plugins/own-packages.js'

const kind: PackageKind<CompressorPackage> = {
  noun: 'compressor',
  exportName: 'stowageCompressors',
  packageNames: (name) => [`@stowage/compression-${name}`, `stowage-compression-${name}`],
  option: '--compressor',
  problemOf: compressorPackageProblem,
  namesOf: ({ algorithms }) => algorithms,
  quote: (name) => name,
}

describe('loadPackage, for a name of Stowage', () => {
  const startedIn = process.cwd()
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-packages-'))
    const folder = join(directory, 'node_modules/stowage-compression-gzip')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'package.json'), '{"main":"index.js"}')
    await writeFile(join(folder, 'index.js'), 'throw new Error("it was loaded")')
    process.chdir(directory)
  })
  afterEach(async () => {
    process.chdir(startedIn)
    await rm(directory, { recursive: true, force: true })
  })

  it('loads the next of its packages where the first is not installed', async () => {
    const own = ['@stowage/compression-nowhere', '@stowage/compression-zlib']
    const loaded = await loadPackage(kind, 'gzip', { own, env: {} })
    expect(loaded?.packageName).toBe('@stowage/compression-zlib')
  })

  it('loads no package of others in their place', async () => {
    expect(
      await loadPackage(kind, 'gzip', { own: ['@stowage/compression-nowhere'], env: {} }),
    ).toBeUndefined()
    await expect(loadPackage(kind, 'gzip', { own: [], env: {} })).rejects.toThrow('it was loaded')
  })
})

it('offers each package of an algorithm where none is installed, and installs the first', () => {
  const { code, message } = ownNotInstalled(
    'bz2',
    bz2Engines.map((engine) => bz2Packages[engine]),
  )
  expect(code).toBe('COMPRESSION_UNKNOWN')
  expect(message).toMatch(/compression-bz2, or @stowage\/compression-compressjs \(.*GPL library\)\. Run: /)
  expect(message).toContain('Run: npm install @stowage/compression-bz2 ')
})
