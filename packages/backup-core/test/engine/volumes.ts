/** Bytes that look random and are the same each time. */
export function seededBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed * 2_654_435_761) >>> 0
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}

/** A copy with other bytes from `start` to `end`. */
export function changed(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return Uint8Array.from(bytes, (byte, index) => (index >= start && index < end ? byte ^ 0xff : byte))
}

/** The text of a `_metadata` object as Cinder would have written it: without a checksum. */
export function withoutChecksum(json: Uint8Array): string {
  return Buffer.from(json)
    .toString()
    .replace(/ {2}"stowage_checksum": "[^"]*",\n/, '')
}
