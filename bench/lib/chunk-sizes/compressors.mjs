/** A compressor by its word, loaded only when it is wanted: a process that does not compress should not pay for one. */
export async function compressorOf(word) {
  if (word === 'zlib') return (await import('@stowage/compression-zlib')).zlib()
  if (word === 'zstd') return (await import('@stowage/compression-zstd')).zstd()
  if (word === 'bz2') return (await import('@stowage/compression-bz2')).bz2()
  return undefined
}
