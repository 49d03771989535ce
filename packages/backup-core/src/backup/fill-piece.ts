import { BackupError } from '../errors/backup-error.js'
import type { OpenSource, VolumeExtent } from '../volume/volume.js'

/**
 * Reads a piece of a volume; where the source says that it holds nothing, zeros are what it would have given.
 *
 * @param data - where in the piece the source has data, ascending
 * @returns how many bytes there are: fewer than `into` has room for only at the end of a stream
 */
export async function fillPiece(
  source: OpenSource,
  data: readonly VolumeExtent[],
  zeros: Zeros,
  into: Uint8Array,
  offsetBytes: number,
  signal: AbortSignal,
): Promise<number> {
  let zeroFrom = 0
  for (const extent of data) {
    const start = extent.offsetBytes - offsetBytes
    into.set(zeros.first(start - zeroFrom), zeroFrom)
    zeroFrom = start + extent.lengthBytes
    const gotBytes = await source.read(into.subarray(start, zeroFrom), extent.offsetBytes, { signal })
    if (gotBytes < extent.lengthBytes) {
      // A stream ends where it ends.
      if (source.sizeBytes === undefined) return gotBytes
      throw shrank(extent.offsetBytes + gotBytes, source.sizeBytes)
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
