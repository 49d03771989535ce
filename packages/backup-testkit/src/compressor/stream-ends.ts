import assert from 'node:assert/strict'
import { BackupError } from '@stowage/backup-core'
import { assertAborted, assertSameBytes } from './expectations.js'
import { onSample, openStream } from './opened-stream.js'
import type { StreamingCompressor } from './opened-stream.js'
import { itWith } from './optional-methods.js'
import { PieceSource } from './piece-source.js'
import type { CompressorConformanceOptions } from './types.js'

const lengthBytes = 3_000_000
const pieceBytes = 20_011

export function streamEndTests(options: CompressorConformanceOptions): void {
  const { describe } = options
  const it = itWith(options, 'streams')
  const onStream = onSample(options, lengthBytes)

  describe('decompressStream that ends early', () => {
    it(
      'closes its input when the consumer stops early',
      onStream(async ({ compressor, compressed, bytes }) => {
        for (const takenPieces of [1, 2]) {
          const source = new PieceSource(compressed, pieceBytes)
          let taken = 0
          for await (const piece of compressor.decompressStream(source, bytes.length)) {
            assert.ok(piece.length <= bytes.length, 'a piece is no longer than the whole')
            if (++taken === takenPieces) break
          }
          assert.ok(!source.isOpen, `the input was left open when ${takenPieces} pieces had been taken`)
        }
        await assertStillOpens(compressor, compressed, bytes)
      }),
    )

    it(
      'closes its input when the consumer throws',
      onStream(async ({ compressor, compressed, bytes }) => {
        const source = new PieceSource(compressed, pieceBytes)
        const failure = new Error('the disk is full')
        const work = async (): Promise<void> => {
          for await (const piece of compressor.decompressStream(source, bytes.length)) {
            assert.ok(piece.length <= bytes.length, 'a piece is no longer than the whole')
            throw failure
          }
        }
        await assert.rejects(work, (error) => error === failure)
        assert.ok(!source.isOpen, 'the input was left open')
      }),
    )

    it(
      'rejects with ABORTED when its signal is already aborted, and reads no input',
      onStream(async ({ compressor, compressed, bytes }) => {
        const source = new PieceSource(compressed, pieceBytes)
        const signal = AbortSignal.abort()
        await assertAborted(signal, 'decompressStream', () =>
          openStream(compressor, source, bytes.length, { signal }),
        )
        assert.ok(!source.wasRead, 'input was asked for')
      }),
    )

    it(
      'rejects with ABORTED when it is aborted half way, and closes its input',
      onStream(async ({ compressor, compressed, bytes }) => {
        const source = new PieceSource(compressed, pieceBytes)
        const controller = new AbortController()
        const { signal } = controller
        await assertAborted(signal, 'decompressStream', async () => {
          for await (const piece of compressor.decompressStream(source, bytes.length, { signal })) {
            assert.ok(piece.length < bytes.length, 'all of the output came in one piece')
            controller.abort()
          }
        })
        assert.ok(!source.isOpen, 'the input was left open')
        await assertStillOpens(compressor, compressed, bytes)
      }),
    )

    it(
      'is not harmed by an abort after its end',
      onStream(async ({ compressor, compressed, bytes }) => {
        const controller = new AbortController()
        const { signal } = controller
        const source = new PieceSource(compressed, pieceBytes)
        const opened = await openStream(compressor, source, bytes.length, { signal })
        controller.abort()
        assertSameBytes(opened, bytes, 'after a late abort')
        await assertStillOpens(compressor, compressed, bytes)
      }),
    )

    for (const [where, share] of [
      ['before its first byte', 0],
      ['half way', 0.5],
      ['after its last byte', 1],
    ] as const) {
      for (const [name, failure] of [
        ['an error', new Error('the store went away')],
        ['a BackupError', new BackupError('STORE_UNAVAILABLE', 'The store went away. Try again.')],
        // The signal passed to the compressor was not aborted, so that this is not an abort of its call.
        ['the AbortError of a client that gave up', new DOMException('Gave up', 'AbortError')],
      ] as const) {
        it(
          `rejects with the error of its input unchanged, ${name} ${where}`,
          onStream(async ({ compressor, compressed, bytes }) => {
            const failsAtBytes = Math.floor(compressed.length * share)
            const source = new PieceSource(compressed, pieceBytes, { failsAtBytes, failure })
            const work = (): Promise<unknown> => openStream(compressor, source, bytes.length)
            await assert.rejects(work, (error) => {
              const due = 'an error of the input is passed on as it is, and not wrapped into OBJECT_CORRUPT'
              assert.equal(error, failure, `${due}, got ${String(error)}`)
              return true
            })
          }),
        )
      }
    }
  })
}

async function assertStillOpens(
  compressor: StreamingCompressor,
  compressed: Uint8Array,
  bytes: Uint8Array,
): Promise<void> {
  const source = new PieceSource(compressed, pieceBytes)
  assertSameBytes(await openStream(compressor, source, bytes.length), bytes, 'the stream after it')
}
