import { streamErrors } from '../stream-errors.js'

export const errors = streamErrors('bzip2')

/** `BZh`, and the level as a digit. */
export const headerBytes = 4

/** What a block holds at level 1, after runs of equal bytes were shortened, and what libbzip2 leaves free of that. */
const symbolsPerLevel = 100_000
const reserveBytes = 19

/** The longest piece that always becomes a single block. */
export const pieceBytesOf = (level: number): number => level * symbolsPerLevel - reserveBytes

/** What a block decompresses to at most: a run of 259 equal bytes is stored as five. */
export const maxDecompressedBytes = (level: number): number => Math.ceil((level * symbolsPerLevel) / 5) * 259

/** How long a block is at most: a symbol takes 20 bits at most, and tables and selectors less than the rest. */
export const maxBlockBits = (level: number): number => level * symbolsPerLevel * 20 + 100_000 * 8

/** The bytes of a block that hold no data: magic, checksum, and the shortest tables. */
const minBlockBytes = 20

/** What a bzip2 object of that length decompresses to at most. */
export const maxExpandedBytes = (lengthBytes: number): number =>
  Math.ceil(lengthBytes / minBlockBytes) * maxDecompressedBytes(9)

/** The magic of a block, and of a stream's end. */
export const magicBits = 48
const checksumBits = 32

/** The byte at which the next stream begins: after the end magic at `bit`, the checksum, and the padding. */
export const streamEnd = (bit: number): number => Math.ceil((bit + magicBits + checksumBits) / 8)

/** The level that the header of a stream declares; undefined where there is no header. */
export function levelAt(bytes: Uint8Array): number | undefined {
  const level = (bytes[3] ?? 0) - 0x30
  const isHeader = bytes[0] === 0x42 && bytes[1] === 0x5a && bytes[2] === 0x68 && level >= 1 && level <= 9
  return isHeader ? level : undefined
}

/** The 32 bits that begin at `bit`, most significant first, as bzip2 writes them; zeros after the end. */
export function readUint32(bytes: Uint8Array, bit: number): number {
  const at = Math.floor(bit / 8)
  const shift = bit % 8
  let value = 0
  for (let index = 0; index < 4; index++) {
    const both = ((bytes[at + index] ?? 0) << 8) | (bytes[at + index + 1] ?? 0)
    value = (value << 8) | ((both >>> (8 - shift)) & 0xff)
  }
  return value >>> 0
}

/** Whether `magic` begins at `bit`, and all of it is there. */
export const hasMagic = (bytes: Uint8Array, bit: number, magic: bigint): boolean =>
  bit + magicBits <= bytes.length * 8 &&
  readUint32(bytes, bit) === Number(magic >> 16n) &&
  readUint32(bytes, bit + 32) >>> 16 === Number(magic & 0xffffn)
