import assert from 'node:assert/strict'
import type { CodecOptions, Compressor } from '@stowage/backup-core'
import { assertRejectsWith, mustCompress, withCompressor } from './expectations.js'
import { PieceSource } from './piece-source.js'
import type { Cut } from './piece-source.js'
import { diskImage } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

/** A compressor with `decompressStream`. */
export type StreamingCompressor = Compressor & Required<Pick<Compressor, 'decompressStream'>>

/** Makes a compressor with `decompressStream`, and passes it to `body`. */
export const withStreams =
  (options: CompressorConformanceOptions, body: (compressor: StreamingCompressor) => Promise<void>) =>
  (): Promise<void> =>
    withCompressor(options, async (compressor) => {
      assert.ok(opensStreams(compressor), 'the compressor has no decompressStream')
      await body(compressor)
    })

/** Whether a compressor has `decompressStream`. */
export const opensStreams = (compressor: Compressor): compressor is StreamingCompressor =>
  compressor.decompressStream !== undefined

/** A valid stream, its raw bytes, and the compressor that made it. */
export interface SampleStream {
  readonly compressor: StreamingCompressor
  readonly bytes: Uint8Array
  readonly compressed: Uint8Array
}

/** As {@link withStreams}, with a sample stream, made once for all tests: a slow engine takes seconds for it. */
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

/** Decompresses a stream to its end. Asserts that it yields no more than the expected length. */
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
      `it yielded ${end + piece.length} bytes, expected ${expectedLengthBytes}`,
    )
    opened.set(piece, end)
    end += piece.length
  }
  return opened.subarray(0, end)
}

/** Asserts that a stream in such pieces is refused as `OBJECT_CORRUPT`, and that its source is closed. */
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
