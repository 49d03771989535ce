import assert from 'node:assert/strict'
import type { ByteProgressListener } from '@stowage/backup-core'
import { assertSameBytes, mustCompress, withCompressor } from './expectations.js'
import { diskImage } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const lengthBytes = 3_000_000

export function progressTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('progress', () => {
    it('counts raw bytes, never decreases, and never exceeds their number', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(lengthBytes)
        const compressed = await watched('compress', (onProgress) =>
          mustCompress(compressor, bytes, { onProgress }),
        )
        const opened = await watched('decompress', (onProgress) =>
          compressor.decompress(compressed, bytes.length, { onProgress }),
        )
        assertSameBytes(opened, bytes, 'a call with onProgress')
        const parts = [bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]
        await watched(
          'compressParts',
          async (onProgress) => (await compressor.compressParts?.(parts, { onProgress })) ?? null,
        )
      }))
  })
}

/** Runs a call, and asserts that its progress counts raw bytes up to their number. */
async function watched<T>(what: string, call: (onProgress: ByteProgressListener) => Promise<T>): Promise<T> {
  const invalid: string[] = []
  let before = 0
  const result = await call((reachedBytes, totalBytes) => {
    const isSound = reachedBytes >= before && reachedBytes <= totalBytes && totalBytes === lengthBytes
    if (!isSound) invalid.push(`${reachedBytes} of ${totalBytes} after ${before}`)
    before = reachedBytes
  })
  assert.deepEqual(invalid, [], `${what} of ${lengthBytes} bytes: progress reports that are not valid`)
  return result
}
