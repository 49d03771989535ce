import { abortedError } from '@stowage/backup-core'
import { damaged, tooLong } from '../corrupt.js'
import type { DecompressJob } from '../engine.js'
import type { Frame } from '../walk-frames.js'
import { asCorrupt } from './faults.js'
import type { NodeZstd } from './node-zstd.js'

const pieceBytes = 256 * 1024
const leastPieceBytes = 64

/** Frames were held to a window within reason before, by what they hold; Node's own limit knows the window alone. */
const largestWindowLog = 31

/** Opens each frame by itself, since Node's decoder ends with the first. */
export async function decompressFrames(
  nodeZstd: NodeZstd,
  target: Uint8Array,
  bytes: Uint8Array,
  { frames, signal, onProgress }: Pick<DecompressJob, 'frames' | 'signal' | 'onProgress'>,
): Promise<void> {
  let offset = 0
  for (const frame of frames) {
    const startBytes = offset
    const opened = (lengthBytes: number): void => onProgress?.(startBytes + lengthBytes, target.length)
    offset += await decompressFrame(nodeZstd, target.subarray(offset), bytes, frame, signal, opened)
  }
  if (offset !== target.length) {
    throw damaged(`it opens to ${offset} bytes where ${target.length} were expected`)
  }
}

/** Fills the beginning of `target`, and gives how much that was. */
async function decompressFrame(
  { createZstdDecompress, constants }: NodeZstd,
  target: Uint8Array,
  bytes: Uint8Array,
  { start, end, contentBytes }: Frame,
  signal: AbortSignal | undefined,
  onOpened: (lengthBytes: number) => void,
): Promise<number> {
  const roomBytes = contentBytes ?? target.length
  const stream = createZstdDecompress({
    chunkSize: Math.max(leastPieceBytes, Math.min(pieceBytes, roomBytes + 1)),
    params: { [constants.ZSTD_d_windowLogMax]: largestWindowLog },
  })
  const onAbort = (): void => {
    if (signal !== undefined) stream.destroy(abortedError(signal, 'Decompressing'))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  const closed = new Promise<void>((resolve) => stream.once('close', resolve))
  let offset = 0
  try {
    stream.end(bytes.subarray(start, end))
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      if (piece.length > roomBytes - offset) throw tooLong(roomBytes)
      target.set(piece, offset)
      offset += piece.length
      onOpened(offset)
    }
    if (contentBytes !== undefined && offset !== contentBytes) {
      throw damaged(`it says that it holds ${contentBytes} bytes, and holds ${offset}`)
    }
    return offset
  } catch (error) {
    throw asCorrupt(error as NodeJS.ErrnoException)
  } finally {
    signal?.removeEventListener('abort', onAbort)
    stream.destroy()
    await closed
  }
}
