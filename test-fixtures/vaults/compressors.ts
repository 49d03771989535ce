import type { Compressor } from '@stowage/backup-core'
import { zlib } from '@stowage/compression-zlib'
import { existsSync } from 'node:fs'

type Factory = (options: { readonly algorithm?: string }) => Compressor

/** The packages whose algorithms come after zlib's, and what each exports. */
const packages = { bz2: ['bz2', 'bzip2'], zstd: ['zstd'] } as const

/**
 * A compressor for each of Cinder's algorithms that this repository can read and write, by its name. What has no package
 * here is not in it, and the tests then ask for the error that names the package.
 */
export const compressors = await loadCompressors()

async function loadCompressors(): Promise<ReadonlyMap<string, Compressor>> {
  const loaded = new Map<string, Compressor>([
    ['zlib', zlib()],
    ['gzip', zlib({ algorithm: 'gzip' })],
  ])
  for (const [name, words] of Object.entries(packages)) {
    // The README is the last thing that a package gets: without one it is still being made.
    if (!existsSync(new URL(`../../packages/compression-${name}/README.md`, import.meta.url))) continue
    const specifier = `@stowage/compression-${name}`
    const factories = (await import(specifier)) as Record<string, Factory>
    const factory = factories[name]
    if (factory === undefined) throw new Error(`${specifier} does not export ${name}().`)
    for (const word of words) loaded.set(word, factory(words.length > 1 ? { algorithm: word } : {}))
  }
  return loaded
}
