/** Header and checksum of a frame, and more for what is short (`ZSTD_COMPRESSBOUND`). */
const addedBytes = 1_024

/** The longest frame that zstd makes of that many bytes: blocks are stored where they do not shrink. */
export const mostCompressedBytes = (lengthBytes: number): number =>
  lengthBytes + Math.ceil(lengthBytes / 256) + addedBytes
