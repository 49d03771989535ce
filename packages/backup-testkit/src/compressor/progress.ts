import assert from 'node:assert/strict'
import type { StepListener } from '@stowage/backup-core'
import { assertSameBytes, mustCompress, withCompressor } from './expectations.js'
import { diskImage } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const lengthBytes = 3_000_000

export function progressTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('progress', () => {
    it('that is told is of the raw bytes, never falls, and never passes their end', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(lengthBytes)
        const compressed = await watched('compress', (onProgress) =>
          mustCompress(compressor, bytes, { onProgress }),
        )
        const opened = await watched('decompress', (onProgress) =>
          compressor.decompress(compressed, bytes.length, { onProgress }),
        )
        assertSameBytes(opened, bytes, 'a call that tells its progress')
        const parts = [bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]
        await watched(
          'compressParts',
          async (onProgress) => (await compressor.compressParts?.(parts, { onProgress })) ?? null,
        )
      }))
  })
}

/** Runs a call, and holds what it tells of its progress to what is promised. */
async function watched<T>(what: string, call: (onProgress: StepListener) => Promise<T>): Promise<T> {
  const told: string[] = []
  let before = 0
  const result = await call((reachedBytes, totalBytes) => {
    const isSound = reachedBytes >= before && reachedBytes <= totalBytes && totalBytes === lengthBytes
    if (!isSound) told.push(`${reachedBytes} of ${totalBytes} after ${before}`)
    before = reachedBytes
  })
  assert.deepEqual(told, [], `${what} of ${lengthBytes} bytes told a progress of`)
  return result
}
