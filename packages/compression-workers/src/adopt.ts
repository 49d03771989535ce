import { joinInTurns } from './join-in-turns.js'

/**
 * Bytes that a worker may read: the same memory where it is shared already, else a copy of its own to be moved there.
 * The caller's memory itself is never moved: it goes on being the caller's.
 */
export interface Adopted {
  readonly bytes: Uint8Array
  /** What to name in the transfer list. */
  readonly transfer: readonly ArrayBuffer[]
}

/** For one worker: shared memory as it is, other memory copied and moved. */
export function adopt(bytes: Uint8Array): Adopted {
  if (isShared(bytes)) return { bytes, transfer: [] }
  const copy = new Uint8Array(bytes)
  return { bytes: copy, transfer: [copy.buffer] }
}

/** For several workers: shared memory as it is, other memory copied into it once. */
export async function share(bytes: Uint8Array): Promise<Uint8Array> {
  if (isShared(bytes)) return bytes
  return joinInTurns([bytes], new Uint8Array(new SharedArrayBuffer(bytes.length)))
}

const isShared = (bytes: Uint8Array): boolean => bytes.buffer instanceof SharedArrayBuffer
