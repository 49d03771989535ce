import type NodeZlib from 'node:zlib'
import { abortedError, isAllZeros, throwIfAborted } from '@stowage/backup-core'
import type { CodecOptions, CompressOptions } from '@stowage/backup-core'
import {
  cut,
  InOrderWriter,
  looksLikeNoise,
  mapPieces,
  outputMemory,
  PieceReader,
} from '@stowage/compression-shared'
import { adler32, adlerOfNothing, joinAdler32 } from './adler32.js'
import { errors, headerBytesOf, storedBlocks, streamEnd, zlibHeader } from './format.js'
import type { ZlibEngine } from './zlib.js'

/**
 * How much is deflated separately: small enough to keep every core busy and the main thread's share of a piece (the
 * checksum of noise, 0.4 ms) short, large enough that a piece's own Huffman codes cost next to nothing.
 */
const pieceBytes = 512 * 1024

/** How far back deflate can refer. */
const windowBytes = 32 * 1024

/** zlib's largest hash table: 128 KiB more a thread than by default, for a 14th less work. */
const memLevel = 9

/** The output's pieces, compressed or not; most compressed pieces fit into one. */
const outputPieceBytes = 256 * 1024

/** The smallest `chunkSize` that node:zlib accepts. */
const minChunkSize = 64

/** The engine on Node's own zlib, which runs on libuv's thread pool. */
export function nodeEngine(nodeZlib: typeof NodeZlib): ZlibEngine {
  return {
    compress: (parts, level, options) => compress(nodeZlib, parts, level, options),
    decompressInto: (target, bytes, options) => decompressInto(nodeZlib, target, bytes, options),
    decompressStream: (pieces, expectedLengthBytes, signal) =>
      decompressStream(nodeZlib, pieces, expectedLengthBytes, signal),
  }
}

/** A piece of a stream, and the Adler-32 of its raw bytes. */
interface Deflated {
  readonly parts: readonly Uint8Array[]
  readonly adler: number
}

/**
 * Compresses into one zlib stream whose pieces are deflated separately, on all threads. Each piece knows the 32 KiB
 * before it and ends at a whole byte (`Z_SYNC_FLUSH`), so that they can be joined. Noise is stored.
 */
async function compress(
  nodeZlib: typeof NodeZlib,
  parts: readonly Uint8Array[],
  level: number,
  { signal, buffer, onProgress }: CompressOptions,
): Promise<Uint8Array | null> {
  const lengthBytes = parts.reduce((sum, { length }) => sum + length, 0)
  const writer = new InOrderWriter(outputMemory(lengthBytes, buffer))
  const sums: { adler: number; rawBytes: number }[] = []
  let zeroPiece: Promise<Deflated> | undefined
  let doneBytes = 0
  const deflate = (raw: Uint8Array, before: Uint8Array): Promise<Deflated> | Deflated => {
    // A chunk's pieces of zeros are deflated once: without, a backup of a volume that is half zeros takes 11 % more CPU
    // time.
    if (raw.length === pieceBytes && isAllZeros(raw)) {
      return (zeroPiece ??= deflatePiece(nodeZlib, level, raw, new Uint8Array(0)))
    }
    if (looksLikeNoise(raw)) return { parts: storedBlocks(raw), adler: adler32(raw) }
    return deflatePiece(nodeZlib, level, raw, before)
  }
  writer.append(zlibHeader(level))
  await mapPieces(piecesOf(parts), signal, async ({ raw, before }, index) => {
    // A stream that has outgrown its memory is thrown away.
    if (writer.full) return
    const piece = await deflate(raw, before)
    sums[index] = { adler: piece.adler, rawBytes: raw.length }
    writer.put(index, piece.parts)
    doneBytes += raw.length
    onProgress?.(doneBytes, lengthBytes)
  })
  const adler = sums.reduce((sum, piece) => joinAdler32(sum, piece.adler, piece.rawBytes), adlerOfNothing)
  writer.append(streamEnd(adler))
  return writer.end()
}

/** Pieces with the bytes before them. No piece spans two parts: it would have to be copied. */
function* piecesOf(parts: readonly Uint8Array[]): Generator<{ raw: Uint8Array; before: Uint8Array }> {
  let before: Uint8Array = new Uint8Array(0)
  for (const part of parts) {
    for (const raw of cut(part, pieceBytes)) {
      yield { raw, before }
      before = raw.subarray(-windowBytes)
    }
  }
}

/**
 * Deflates into a zlib stream of the piece's own, whose header and end are cut off: zlib computes the checksum, on the
 * same thread, and writes it after the last block (RFC 1950, section 2.2). What comes before the flush ends is the
 * piece, what comes after it the end.
 */
function deflatePiece(
  nodeZlib: typeof NodeZlib,
  level: number,
  raw: Uint8Array,
  before: Uint8Array,
): Promise<Deflated> {
  return new Promise((resolve, reject) => {
    const deflate = nodeZlib.createDeflate({
      level,
      memLevel,
      chunkSize: outputPieceBytes,
      flush: nodeZlib.constants.Z_SYNC_FLUSH,
      ...(before.length > 0 && { dictionary: before }),
    })
    const parts: Uint8Array[] = []
    const end: Uint8Array[] = []
    let into = parts
    deflate.on('data', (part: Uint8Array) => {
      into.push(part)
    })
    deflate.once('error', reject)
    deflate.once('end', () => {
      const [first = new Uint8Array(0), ...others] = parts
      const adler = Buffer.concat(end)
      resolve({
        parts: [first.subarray(headerBytesOf(first)), ...others],
        adler: adler.readUInt32BE(adler.length - 4),
      })
    })
    deflate.write(raw, (error) => {
      // The stream emits it.
      if (error) return
      // What has not reached the listener yet does so now.
      while (deflate.readableLength > 0) deflate.read()
      into = end
      deflate.end()
    })
  })
}

/**
 * Decompresses a stream that is in memory. The event handler copies each piece: iterating over the stream takes 12 % more CPU
 * time.
 */
async function decompressInto(
  nodeZlib: typeof NodeZlib,
  target: Uint8Array,
  bytes: Uint8Array,
  { signal, onProgress }: CodecOptions,
): Promise<void> {
  // node:zlib ends an empty input without an error.
  if (bytes.length === 0) throw errors.cutShort()
  const inflate = createInflate(nodeZlib, target.length)
  const stopListening = destroyOnAbort(inflate, signal)
  let outputBytes = 0
  try {
    await new Promise<void>((resolve, reject) => {
      inflate.on('data', (piece: Uint8Array) => {
        if (inflate.destroyed) return
        if (piece.length > target.length - outputBytes) {
          inflate.destroy(errors.tooLong(target.length))
          return
        }
        target.set(piece, outputBytes)
        outputBytes += piece.length
        onProgress?.(outputBytes, target.length)
      })
      inflate.once('error', reject)
      inflate.once('end', resolve)
      inflate.end(bytes)
    })
    assertComplete(inflate, bytes.length, outputBytes, target.length)
  } catch (error) {
    throw asCorrupt(error as NodeJS.ErrnoException)
  } finally {
    stopListening()
    inflate.destroy()
  }
}

function createInflate(nodeZlib: typeof NodeZlib, expectedLengthBytes: number): NodeZlib.Inflate {
  const chunkSize = Math.max(minChunkSize, Math.min(outputPieceBytes, expectedLengthBytes + 1))
  return nodeZlib.createInflate({ chunkSize })
}

function destroyOnAbort(inflate: NodeZlib.Inflate, signal: AbortSignal | undefined): () => void {
  const onAbort = (): void => {
    if (signal !== undefined) inflate.destroy(abortedError(signal, 'Decompressing'))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  return () => signal?.removeEventListener('abort', onAbort)
}

/** Node.js ignores what follows a stream: only the number of bytes that it read shows it. */
function assertComplete(
  inflate: NodeZlib.Inflate,
  inputBytes: number,
  outputBytes: number,
  expectedLengthBytes: number,
): void {
  if (inflate.bytesWritten < inputBytes) throw errors.trailing(inputBytes - inflate.bytesWritten)
  if (outputBytes < expectedLengthBytes) throw errors.tooShort(outputBytes, expectedLengthBytes)
}

async function* decompressStream(
  nodeZlib: typeof NodeZlib,
  pieces: AsyncIterable<Uint8Array>,
  expectedLengthBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const inflate = createInflate(nodeZlib, expectedLengthBytes)
  const stopListening = destroyOnAbort(inflate, signal)
  const reader = new PieceReader(pieces, signal)
  let readBytes = 0
  const feed = async (): Promise<void> => {
    try {
      for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
        readBytes += piece.length
        // A piece is only valid until the next is read, and zlib reads it on another thread until it calls back.
        await new Promise<void>((resolve, reject) => {
          inflate.once('close', resolve)
          inflate.write(piece, (error) => {
            inflate.off('close', resolve)
            if (error) reject(error)
            else resolve()
          })
        })
        if (inflate.destroyed) return
      }
      inflate.end()
    } catch (error) {
      inflate.destroy(error as Error)
    }
  }
  const feeding = feed()
  let outputBytes = 0
  try {
    for await (const piece of inflate as AsyncIterable<Uint8Array>) {
      outputBytes += piece.length
      if (outputBytes > expectedLengthBytes) throw errors.tooLong(expectedLengthBytes)
      yield piece
    }
    await feeding
    assertComplete(inflate, readBytes, outputBytes, expectedLengthBytes)
    throwIfAborted(signal, 'Decompressing')
  } catch (error) {
    throw asCorrupt(error as NodeJS.ErrnoException)
  } finally {
    stopListening()
    inflate.destroy()
    await feeding
    await reader.close()
  }
}

/** Maps zlib's own errors; others stay as they are. */
function asCorrupt(error: NodeJS.ErrnoException): Error {
  if (error.code === 'Z_BUF_ERROR') return errors.cutShort(error)
  if (error.code === 'Z_DATA_ERROR' || error.code === 'Z_NEED_DICT')
    return errors.damaged(error.message, error)
  return error
}
