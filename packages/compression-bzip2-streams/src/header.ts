import { cutShort, notBzip2 } from './corrupt.js'

/** `BZh`, and the level as a digit. */
export const headerBytes = 4

/** The level that the header of a stream says; undefined where there is none. */
export function levelAt(bytes: Uint8Array, at: number): number | undefined {
  const level = (bytes[at + 3] ?? 0) - 0x30
  const is =
    bytes[at] === 0x42 && bytes[at + 1] === 0x5a && bytes[at + 2] === 0x68 && level >= 1 && level <= 9
  return is ? level : undefined
}

/** The level of the first stream, from its header. Throws `OBJECT_CORRUPT` where it is none. */
export function firstLevel(bytes: Uint8Array): number {
  const level = levelAt(bytes, 0)
  if (level !== undefined) return level
  throw bytes.length < headerBytes ? cutShort() : notBzip2()
}
