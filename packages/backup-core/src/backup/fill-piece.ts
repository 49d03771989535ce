import { BackupError } from '../errors/backup-error.js'
import type { OpenSource, VolumeExtent } from '../contracts/volume.js'

/** The most that is read by one call, so that a chunk of gigabytes is heard of, and ends on an abort, before all of it is read. */
const READ_BYTES = 8 * 1024 * 1024

/**
 * Reads a piece of a volume; where the source says that it holds nothing, zeros are what it would have given.
 *
 * @param data - where in the piece the source has data, ascending
 * @param onRead - told how far into the piece it is filled
 * @returns how many bytes there are: fewer than `into` has room for only at the end of a stream
 */
export async function fillPiece(
  source: OpenSource,
  data: readonly VolumeExtent[],
  zeros: Zeros,
  into: Uint8Array,
  offsetBytes: number,
  signal: AbortSignal,
  onRead?: (endBytes: number) => void,
): Promise<number> {
  let zeroFrom = 0
  for (const extent of data) {
    const start = extent.offsetBytes - offsetBytes
    into.set(zeros.first(start - zeroFrom), zeroFrom)
    zeroFrom = start + extent.lengthBytes
    for (let at = start; at < zeroFrom;) {
      const wantedBytes = Math.min(READ_BYTES, zeroFrom - at)
      const gotBytes = await source.read(into.subarray(at, at + wantedBytes), offsetBytes + at, { signal })
      at += gotBytes
      onRead?.(at)
      if (gotBytes === wantedBytes) continue
      // A stream ends where it ends.
      if (source.sizeBytes === undefined) return at
      throw shrank(offsetBytes + at, source.sizeBytes)
    }
  }
  into.set(zeros.first(into.length - zeroFrom), zeroFrom)
  return into.length
}

/**
 * Zeros that nobody writes to. All holes of a volume are the same few megabytes; and copying them is many times faster
 * than `fill` is in shared memory, which V8 writes a byte at a time.
 */
export class Zeros {
  readonly #lengthBytes: number
  #bytes: Uint8Array | undefined

  constructor(lengthBytes: number) {
    this.#lengthBytes = lengthBytes
  }

  first(lengthBytes: number): Uint8Array {
    this.#bytes ??= new Uint8Array(new SharedArrayBuffer(this.#lengthBytes))
    return this.#bytes.subarray(0, lengthBytes)
  }
}

function shrank(endBytes: number, sizeBytes: number): BackupError {
  return new BackupError(
    'SOURCE_CHANGED',
    `The source ended at ${endBytes} bytes and not at ${sizeBytes}: it shrank while it was read. Back up a snapshot of it, or stop its writer.`,
    { offsetBytes: endBytes },
  )
}
