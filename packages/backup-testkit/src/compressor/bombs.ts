import assert from 'node:assert/strict'
import { assertRejectsWith, mustCompress, withCompressor } from './expectations.js'
import { openStream, withStreams } from './opened-stream.js'
import { itWith } from './optional-methods.js'
import { PieceSource } from './piece-source.js'
import type { CompressorConformanceOptions } from './types.js'

const defaultBombLengthBytes = 64 * 1024 * 1024

/** The expected length passed with the bombs of other programs, and the memory that refusing one may take. */
const expectedLengthBytes = 1024 * 1024
const maxGrowthBytes = 200 * 1024 * 1024

export function bombTests(options: CompressorConformanceOptions): void {
  const { describe, it, bombs = [] } = options
  const bombLengthBytes = options.bombLengthBytes ?? defaultBombLengthBytes

  describe('a decompression bomb', () => {
    it('is refused as OBJECT_CORRUPT without the memory that it would fill', () =>
      withCompressor(options, async (compressor) => {
        // The zeros stay reachable to the end: if their memory were released, the growth would not show.
        const zeros = new Uint8Array(bombLengthBytes)
        const bomb = await mustCompress(compressor, zeros)
        // Start-up (workers, WebAssembly) is not part of the measurement.
        await compressor.decompress(await mustCompress(compressor, zeros.subarray(0, 1_024)), 1_024)
        const grownBytes = await peakGrowthBytes(() =>
          assertRejectsWith('OBJECT_CORRUPT', `${bomb.length} bytes that open to ${bombLengthBytes}`, () =>
            compressor.decompress(bomb, 1_024),
          ),
        )
        assert.ok(
          grownBytes < zeros.length * 0.75,
          `resident memory grew by ${grownBytes} bytes, while 1024 were expected`,
        )
      }))

    it('opens when its length is the one expected', () =>
      withCompressor(options, async (compressor) => {
        const zeros = new Uint8Array(Math.min(bombLengthBytes, 16 * 1024 * 1024))
        const opened = await compressor.decompress(await mustCompress(compressor, zeros), zeros.length)
        assert.equal(Buffer.compare(opened, zeros), 0, 'the zeros opened to something else')
      }))

    for (const { name, compressed } of bombs) {
      it(`that another program made is refused as OBJECT_CORRUPT: ${name}`, () =>
        withCompressor(options, (compressor) =>
          assertRefusedInLittleMemory(name, () => compressor.decompress(compressed, expectedLengthBytes)),
        ))

      itWith(options, 'streams')(
        `that another program made is refused as OBJECT_CORRUPT in pieces: ${name}`,
        withStreams(options, (compressor) =>
          assertRefusedInLittleMemory(name, () =>
            openStream(compressor, new PieceSource(compressed), expectedLengthBytes),
          ),
        ),
      )
    }
  })
}

async function assertRefusedInLittleMemory(what: string, work: () => Promise<unknown>): Promise<void> {
  const grownBytes = await peakGrowthBytes(() => assertRejectsWith('OBJECT_CORRUPT', what, work))
  const message = `resident memory grew by ${grownBytes} bytes, while ${expectedLengthBytes} were expected`
  assert.ok(grownBytes < maxGrowthBytes, message)
}

/** By how much the resident memory of this process grew while `work` ran. */
async function peakGrowthBytes(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss()
  let peak = before
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const timer = setInterval(look, 2)
  try {
    await work()
  } finally {
    look()
    clearInterval(timer)
  }
  return peak - before
}
