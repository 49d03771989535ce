/**
 * Our engines by the names that the table gives them. Each is loaded when it is asked for.
 *
 * @type {ReadonlyMap<string, () => Promise<import('@stowage/backup-core').Compressor>>}
 */
export const ownEngines = new Map([
  ['zlib', async () => (await import('@stowage/compression-zlib')).zlib()],
  ['zlib (pako)', async () => (await import('@stowage/compression-zlib')).zlib({ engine: 'pako' })],
  ['bz2', async () => (await import('@stowage/compression-bz2')).bz2()],
  ['bz2 (compressjs)', async () => (await import('@stowage/compression-compressjs')).bz2Compressjs()],
  ['zstd', async () => (await import('@stowage/compression-zstd')).zstd()],
])
