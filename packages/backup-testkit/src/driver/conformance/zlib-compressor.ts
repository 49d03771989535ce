import type { Compressor } from '@stowage/backup-core'
import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'

/** Enough of zlib to see that compressed objects pass through a store. */
export const zlibCompressor: Compressor = {
  name: 'zlib',
  aliases: ['gzip'],
  compress: (bytes) => promisify(deflate)(bytes),
  decompress: (bytes, expectedLengthBytes) =>
    promisify(inflate)(bytes, { maxOutputLength: Math.max(1, expectedLengthBytes) }),
}
