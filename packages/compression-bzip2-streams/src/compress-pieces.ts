import type { CompressOptions } from '@stowage/backup-core'
import { cut, isAllNoise, isZeros, mapPieces } from '@stowage/compression-workers'
import type { Bzip2Engine } from './engine.js'
import { compressInWorker } from './run-engine.js'
import type { Lent } from './run-engine.js'
import { StreamWriter } from './stream-writer.js'
import { zerosCompressed } from './zeros.js'

/** What a block holds at level 1, less bzip2's reserve of 19 bytes: a piece that long is one block, not two. */
const pieceBytesALevel = 100_000
const reserveBytes = 19

/** An empty bzip2 stream: header, mark of the end, checksum of nothing. */
const emptyStream = (level: number): Uint8Array =>
  Uint8Array.of(0x42, 0x5a, 0x68, 0x30 + level, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0)

/**
 * Compresses a chunk in pieces of one block each, on all cores: a row of bzip2 streams, which every reader takes for
 * one (`bz2.decompress` and `bzip2 -d` both do). Pieces of zeros are taken from memory.
 */
export async function compressPieces(
  engine: Bzip2Engine,
  bytes: Uint8Array,
  level: number,
  { signal, buffer, mustShrink = false, onProgress }: CompressOptions,
): Promise<Uint8Array> {
  if (bytes.length === 0) return emptyStream(level)
  const pieceBytes = level * pieceBytesALevel - reserveBytes
  // bzip2 has no way to store: noise costs its full time and grows. Only where all of a chunk is noise is it spared.
  if (mustShrink && (await isAllNoise(bytes))) return bytes
  const writer = new StreamWriter(memoryFor(engine, bytes.length, pieceBytes, buffer, mustShrink))
  let doneBytes = 0
  await mapPieces(cut(bytes, pieceBytes), signal, async (piece, index) => {
    // A result that has outgrown its memory is thrown away, and so need not go on.
    if (writer.full) return
    const stream = isZeros(piece)
      ? asLent(await zerosCompressed(engine, piece, level))
      : await compressInWorker(engine, piece, level)
    await writer.put(index, stream)
    doneBytes += piece.length
    onProgress?.(doneBytes, bytes.length)
  })
  return writer.end() ?? bytes
}

/** The caller's memory where it is enough, else fresh: of the input's length where the result must be shorter. */
function memoryFor(
  engine: Bzip2Engine,
  lengthBytes: number,
  pieceBytes: number,
  buffer: Uint8Array | undefined,
  mustShrink: boolean,
): Uint8Array {
  const pieces = Math.ceil(lengthBytes / pieceBytes)
  const mostPieceBytes = engine.mostCompressedBytes(Math.min(pieceBytes, lengthBytes))
  const mostBytes = mustShrink ? lengthBytes : pieces * mostPieceBytes
  return buffer !== undefined && buffer.length >= mostBytes
    ? buffer.subarray(0, mostBytes)
    : Buffer.allocUnsafeSlow(mostBytes)
}

const asLent = (bytes: Uint8Array): Lent => ({ bytes, free: () => undefined })
