import { assertAborted, assertSameBytes, withCompressor } from './expectations.js'
import { diskImage } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'
import { isAbort } from '@stowage/backup-core'

const lengthBytes = 3_000_000

export function abortTests(options: CompressorConformanceOptions): void {
  const { describe, it } = options

  describe('an abort', () => {
    it('that came before the call ends it with ABORTED', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(50_000)
        const compressed = await compressor.compress(bytes)
        const signal = AbortSignal.abort()
        await assertAborted(signal, 'compress', () => compressor.compress(bytes, { signal }))
        await assertAborted(signal, 'decompress', () =>
          compressor.decompress(compressed, bytes.length, { signal }),
        )
      }))

    it('during the call ends it with ABORTED, or comes too late and changes nothing', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(lengthBytes)
        const compressed = await compressor.compress(bytes)
        const controller = new AbortController()
        const { signal } = controller
        setImmediate(() => {
          controller.abort()
        })
        const settled = await Promise.allSettled([
          compressor.compress(bytes, { signal }),
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

    it('leaves the compressor fit for the next call', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(lengthBytes)
        const controller = new AbortController()
        const aborted = Promise.allSettled(
          Array.from({ length: 4 }, () => compressor.compress(bytes, { signal: controller.signal })),
        )
        controller.abort()
        await aborted
        const opened = await compressor.decompress(await compressor.compress(bytes), bytes.length)
        assertSameBytes(opened, bytes, 'the call after the abort')
      }))

    it('of a signal long after its call ended does nothing', () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(50_000)
        const controller = new AbortController()
        const { signal } = controller
        const compressed = await compressor.compress(bytes, { signal })
        controller.abort()
        assertSameBytes(await compressor.decompress(compressed, bytes.length), bytes, 'after a late abort')
      }))
  })
}
