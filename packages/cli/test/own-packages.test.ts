import { readFileSync } from 'node:fs'
import {
  backendPackageProblem,
  CINDER_COMPRESSIONS,
  compressorPackageProblem,
  compressorProblem,
} from '@stowage/backup-core'
import type { BackendPackage, CompressorPackage } from '@stowage/backup-core'
import { describe, expect, it } from 'vitest'
import { cinderAlgorithms } from '../src/compression/algorithms.js'
import { ownBackends, ownCompressors } from '../src/plugins/own-packages.js'

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>
}

async function exportedBy(packageName: string, name: string): Promise<unknown> {
  return ((await import(packageName)) as Readonly<Record<string, unknown>>)[name]
}

describe('the table of the backends that are installed with the command', () => {
  it('has the backend packages among the dependencies of the command', () => {
    const names = Object.keys(dependencies).filter((name) => /^@stowage\/backup-(?!core)/.test(name))
    expect(ownBackends.map(({ packageName }) => packageName).sort()).toEqual(names.sort())
  })

  it.each(ownBackends)('has what $packageName exports', async ({ packageName, schemes, flags }) => {
    const backend = (await exportedBy(packageName, 'stowageBackend')) as BackendPackage
    expect(backendPackageProblem(backend)).toBeUndefined()
    expect(schemes).toEqual(backend.schemes)
    expect(flags).toEqual(Object.keys(backend.flags ?? {}))
  })
})

describe('the table of the compressors of Stowage', () => {
  it.each(ownCompressors)('has what $packageName exports', async ({ packageName, algorithms }) => {
    const compressors = (await exportedBy(packageName, 'stowageCompressors')) as CompressorPackage
    expect(compressorPackageProblem(compressors)).toBeUndefined()
    expect(algorithms).toEqual(compressors.algorithms)
    for (const algorithm of algorithms) {
      const compressor = compressors.create(algorithm)
      expect(compressor.name).toBe(algorithm)
      expect(compressorProblem(compressor)).toBeUndefined()
    }
  })

  it('has the algorithms of Cinder', () => {
    expect(cinderAlgorithms).toEqual(CINDER_COMPRESSIONS)
    const algorithms = new Set(ownCompressors.flatMap((one) => one.algorithms))
    expect([...algorithms].sort()).toEqual([...cinderAlgorithms].sort())
  })
})
