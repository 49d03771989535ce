import { assertAborted, assertSameBytes, mustCompress, withCompressor } from './expectations.js'
import { diskImage, prose } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'
import { isAbort } from '@stowage/backup-core'

const lengthBytes = 3_000_000

export function abortTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('an abort', () => {
    it('before the call ends it with ABORTED', () =>
      withCompressor(options, async (compressor) => {
        const bytes = prose(50_000)
        const compressed = await mustCompress(compressor, bytes)
        const signal = AbortSignal.abort()
        await assertAborted(signal, 'compress', () => mustCompress(compressor, bytes, { signal }))
        await assertAborted(signal, 'decompress', () =>
          compressor.decompress(compressed, bytes.length, { signal }),
        )
      }))

    it('during the call ends it with ABORTED, or comes too late and changes nothing', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(lengthBytes)
        const compressed = await mustCompress(compressor, bytes)
        const controller = new AbortController()
        const { signal } = controller
        setImmediate(() => {
          controller.abort()
        })
        const settled = await Promise.allSettled([
          mustCompress(compressor, bytes, { signal }),
          compressor.decompress(compressed, bytes.length, { signal }),
        ])
        const [compressing, decompressing] = settled
        for (const outcome of settled) {
          if (outcome.status === 'rejected' && !isAbort(outcome.reason, signal)) throw outcome.reason
        }
        if (compressing.status === 'fulfilled') {
          assertSameBytes(
            await compressor.decompress(compressing.value, bytes.length),
            bytes,
            'what was compressed before the abort',
          )
        }
        if (decompressing.status === 'fulfilled') {
          assertSameBytes(decompressing.value, bytes, 'what was opened before the abort')
        }
      }))

    it('leaves the compressor usable', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(lengthBytes)
        const controller = new AbortController()
        const aborted = Promise.allSettled(
          Array.from({ length: 4 }, () => mustCompress(compressor, bytes, { signal: controller.signal })),
        )
        controller.abort()
        await aborted
        const opened = await compressor.decompress(await mustCompress(compressor, bytes), bytes.length)
        assertSameBytes(opened, bytes, 'the call after the abort')
      }))

    it('of a signal after its call ended does nothing', () =>
      withCompressor(options, async (compressor) => {
        const bytes = prose(50_000)
        const controller = new AbortController()
        const { signal } = controller
        const compressed = await mustCompress(compressor, bytes, { signal })
        controller.abort()
        assertSameBytes(await compressor.decompress(compressed, bytes.length), bytes, 'after a late abort')
      }))
  })
}
