import { createHash } from 'node:crypto'

/** Bytes that no compressor shortens, the same for the same seed. */
export function noise(seed: string, lengthBytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(lengthBytes / 32) }, (_, index) =>
    createHash('sha256').update(`${seed}/${index}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, lengthBytes)
}

/** Bytes that every compressor shortens, the same for the same seed. */
export function text(seed: string, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes)
  for (let line = 0, at = 0; at < lengthBytes; line += 1) {
    at += bytes.write(`${seed} ${line} what the harbour master wrote down\n`, at, 'latin1')
  }
  return bytes
}

/** What a disk looks like: text, zeros, some noise, over and over. */
export function mixed(seed: string, lengthBytes: number): Buffer {
  const parts: Buffer[] = []
  for (let length = 0, index = 0; length < lengthBytes; length += 19_000, index += 1) {
    parts.push(text(`${seed}-${index}`, 10_000), Buffer.alloc(8_000), noise(`${seed}-${index}`, 1_000))
  }
  return Buffer.concat(parts).subarray(0, lengthBytes)
}

/** A copy of a volume with other bytes written over it. */
export function patched(volume: Uint8Array, ...patches: readonly (readonly [number, Uint8Array])[]): Buffer {
  const copy = Buffer.from(volume)
  for (const [offset, bytes] of patches) copy.set(bytes, offset)
  return copy
}
