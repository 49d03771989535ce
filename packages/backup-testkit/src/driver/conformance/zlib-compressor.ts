import type { Compressor } from '@stowage/backup-core'
import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'

/** Enough of zlib to see that compressed objects pass through a store. */
export const zlibCompressor: Compressor = {
  name: 'zlib',
  aliases: ['gzip'],
  compress: async (bytes) => {
    const compressed = await promisify(deflate)(bytes)
    return compressed.length < bytes.length ? compressed : null
  },
  decompress: (bytes, expectedLengthBytes) =>
    promisify(inflate)(bytes, { maxOutputLength: Math.max(1, expectedLengthBytes) }),
}
