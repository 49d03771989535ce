import { readFileSync } from 'node:fs'

/** Bytes in pieces of the given sizes, round and round, each in the memory of the one before, as a store may give them. */
export async function* inPieces(
  bytes: Uint8Array | string,
  sizes: readonly number[] = [65536],
): AsyncGenerator<Uint8Array> {
  const whole = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  const memory = new Uint8Array(Math.max(...sizes))
  for (let at = 0, turn = 0; at < whole.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    const piece = whole.subarray(at, at + size)
    memory.fill(0x21)
    memory.set(piece)
    yield memory.subarray(0, piece.length)
    at += piece.length
  }
}

/** All of a body. Copies each piece, since the next may be made in its memory. */
export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = []
  for await (const piece of pieces) copies.push(Buffer.from(piece))
  return Buffer.concat(copies)
}

/** One of the files that `golden/make_goldens.py` wrote. */
export function golden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8'))
}
