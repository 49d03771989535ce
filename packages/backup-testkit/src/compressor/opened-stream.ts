import assert from 'node:assert/strict'
import type { CodecOptions, Compressor } from '@stowage/backup-core'
import { assertRejectsWith, mustCompress, withCompressor } from './expectations.js'
import { PieceSource } from './piece-source.js'
import type { Cut } from './piece-source.js'
import { diskImage } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

/** A compressor that opens streams in pieces. */
export type StreamingCompressor = Compressor & Required<Pick<Compressor, 'decompressStream'>>

/**
 * Makes a compressor and hands it to `body`, where it opens streams in pieces. That is for it to say, and no sooner
 * than it was made: one that does not passes, unless the options say that it does.
 */
export const withStreams =
  (options: CompressorConformanceOptions, body: (compressor: StreamingCompressor) => Promise<void>) =>
  (): Promise<void> =>
    withCompressor(options, async (compressor) => {
      if (opensStreams(compressor)) await body(compressor)
      else assert.notEqual(options.streams, true, 'the compressor has no decompressStream')
    })

/** Whether a compressor opens streams in pieces. */
export const opensStreams = (compressor: Compressor): compressor is StreamingCompressor =>
  compressor.decompressStream !== undefined

/** A sound stream, what it holds, and what opens it. */
export interface SampleStream {
  readonly compressor: StreamingCompressor
  readonly bytes: Uint8Array
  readonly compressed: Uint8Array
}

/** As {@link withStreams}, with a stream beside: one for all tests, since a slow engine takes seconds for it. */
export function onSample(
  options: CompressorConformanceOptions,
  lengthBytes: number,
): (body: (stream: SampleStream) => Promise<void>) => () => Promise<void> {
  let sample: Omit<SampleStream, 'compressor'> | undefined
  return (body) =>
    withStreams(options, async (compressor) => {
      if (sample === undefined) {
        const bytes = diskImage(lengthBytes)
        sample = { bytes, compressed: (await mustCompress(compressor, bytes)).slice() }
      }
      await body({ compressor, ...sample })
    })
}

/** Opens a stream to its end, and holds it to giving no more than was expected. */
export async function openStream(
  compressor: StreamingCompressor,
  pieces: AsyncIterable<Uint8Array>,
  expectedLengthBytes: number,
  options?: CodecOptions,
): Promise<Uint8Array> {
  const opened = new Uint8Array(expectedLengthBytes)
  let end = 0
  for await (const piece of compressor.decompressStream(pieces, expectedLengthBytes, options)) {
    assert.ok(piece instanceof Uint8Array, 'a piece must be a Uint8Array')
    assert.ok(
      end + piece.length <= expectedLengthBytes,
      `it gave ${end + piece.length} bytes where ${expectedLengthBytes} were expected`,
    )
    opened.set(piece, end)
    end += piece.length
  }
  return opened.subarray(0, end)
}

/** Asserts that a stream is refused as `OBJECT_CORRUPT` when it comes in such pieces, and its source closed. */
export async function assertStreamRefused(
  compressor: StreamingCompressor,
  what: string,
  bytes: Uint8Array,
  expectedLengthBytes: number,
  cut?: Cut,
): Promise<void> {
  const source = new PieceSource(bytes, cut)
  await assertRejectsWith('OBJECT_CORRUPT', what, () => openStream(compressor, source, expectedLengthBytes))
  assert.ok(!source.isOpen, `${what}: the input was left open`)
}
