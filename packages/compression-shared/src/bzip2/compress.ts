import type { CompressOptions } from '@stowage/backup-core'
import { isNoise } from '../noise.js'
import { cut, InOrderWriter, mapPieces, outputMemory } from '../pieces.js'
import { releaseBlockMemory } from './block-memory.js'
import { compressInWorker } from './engine.js'
import type { Bzip2Engine } from './engine.js'
import { pieceBytesOf } from './format.js'

/**
 * Compresses a chunk in pieces of one block each, on all cores: a sequence of bzip2 streams, which every reader takes
 * for one (`bz2.decompress` and `bzip2 -d` both do).
 *
 * @returns null where the result would not be shorter than `bytes`
 */
export async function compressPieces(
  engine: Bzip2Engine,
  bytes: Uint8Array,
  level: number,
  { signal, buffer, onProgress }: CompressOptions,
): Promise<Uint8Array | null> {
  // bzip2 cannot store data as it is: noise costs its full time and grows.
  if (bytes.length === 0 || (await isNoise(bytes))) return null
  const writer = new InOrderWriter(outputMemory(bytes.length, buffer))
  const pieceBytes = Math.min(pieceBytesOf(level), bytes.length)
  let doneBytes = 0
  await mapPieces(cut(bytes, pieceBytes), signal, async (piece, index) => {
    // A result that has outgrown its memory is thrown away.
    if (writer.full) return
    const { stream, memory } = await compressInWorker(engine, piece, level)
    writer.put(index, [writer.isNext(index) ? stream : stream.slice()])
    releaseBlockMemory(memory)
    doneBytes += piece.length
    onProgress?.(doneBytes, bytes.length)
  })
  return writer.end()
}
