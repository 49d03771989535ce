/** Bytes that do not compress and are the same in every run for the same seed. */
export function noise(lengthBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(lengthBytes)
  let state = seed * 2_654_435_769 + 1
  for (let at = 0; at < lengthBytes; at++) {
    // xorshift32: enough to make every block unlike every other.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state
  }
  return bytes
}

/** A copy with other bytes at an offset; longer, where they reach past the end. */
export function patched(bytes: Uint8Array, offsetBytes: number, patch: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.max(bytes.byteLength, offsetBytes + patch.byteLength))
  result.set(bytes)
  result.set(patch, offsetBytes)
  return result
}

/** Concatenates the pieces. Each is copied before the next is requested: a stream may reuse its memory. */
export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const copies: Uint8Array[] = []
  for await (const piece of pieces) copies.push(Uint8Array.from(piece))
  return Buffer.concat(copies)
}
