import { streamErrors } from '@stowage/compression-shared'
import type { StreamErrors } from '@stowage/compression-shared'

export const errors: StreamErrors = streamErrors('zlib')

/** Deflate with a window of 32 KiB, the one that every writer uses (RFC 1950, section 2.2). */
const deflateWith32KiB = 0x78

/** The two bytes that begin a zlib stream. The level in them is a hint that no reader needs. */
export function zlibHeader(level: number): Uint8Array {
  const hint = level < 2 ? 0 : level < 6 ? 1 : level === 6 ? 2 : 3
  const flags = hint << 6
  const check = 31 - (((deflateWith32KiB << 8) | flags) % 31)
  return Uint8Array.of(deflateWith32KiB, flags | check)
}

/** How long the header of a zlib stream is: a dictionary is named in four more bytes (RFC 1950, section 2.2). */
export const headerBytesOf = (stream: Uint8Array): number => (((stream[1] ?? 0) & 0x20) === 0 ? 2 : 6)

/** The most that one stored block of deflate holds (RFC 1951, section 3.2.4). */
const maxStoredBytes = 65_535

/** The parts of `bytes` as stored blocks, none of them the last of its stream, to follow a whole byte. */
export function storedBlocks(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let offset = 0; offset < bytes.length; offset += maxStoredBytes) {
    const block = bytes.subarray(offset, offset + maxStoredBytes)
    const { length } = block
    parts.push(Uint8Array.of(0, length & 0xff, length >>> 8, ~length & 0xff, (~length >>> 8) & 0xff), block)
  }
  return parts
}

/** An empty block with fixed codes, marked as the last (RFC 1951, section 3.2.6), and the checksum. */
export function streamEnd(adler: number): Uint8Array {
  const end = Buffer.of(0x03, 0x00, 0, 0, 0, 0)
  end.writeUInt32BE(adler, 2)
  return end
}
