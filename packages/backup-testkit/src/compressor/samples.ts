/** A seeded pseudorandom generator: failures can be reproduced. */
export function pseudoRandom(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>>= 0)
  }
}

/** Bytes that do not compress. */
export function noise(lengthBytes: number, seed = 1): Uint8Array {
  const next = pseudoRandom(seed)
  const bytes = new Uint8Array(lengthBytes)
  for (let index = 0; index < lengthBytes; index++) bytes[index] = next() >>> 11
  return bytes
}

const words =
  'the volume holds a backup of every block that some object in a container keeps until it changes'
const vocabulary = words.split(' ')

/** Text of a small vocabulary, which compresses well. */
export function prose(lengthBytes: number, seed = 2): Uint8Array {
  const next = pseudoRandom(seed)
  const pieces: string[] = []
  for (let length = 0; length < lengthBytes;) {
    const word = `${vocabulary[next() % vocabulary.length] ?? ''}${next() % 9 === 0 ? `, ${next() % 1000}.\n` : ' '}`
    pieces.push(word)
    length += word.length
  }
  return new TextEncoder().encode(pieces.join('').slice(0, lengthBytes))
}

/** Like a disk: zeros, text and noise in runs of many lengths. */
export function diskImage(lengthBytes: number, seed = 3): Uint8Array {
  const next = pseudoRandom(seed)
  const bytes = new Uint8Array(lengthBytes)
  for (let offset = 0; offset < lengthBytes;) {
    const run = Math.min(512 * (1 + (next() % 400)), lengthBytes - offset)
    const kind = next() % 3
    if (kind > 0) bytes.set(kind === 1 ? prose(run, next()) : noise(run, next()), offset)
    offset += run
  }
  return bytes
}

/** One named input of the suite. */
export interface Sample {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Inputs of the round trips. */
export function samples(): readonly Sample[] {
  const repeated = new Uint8Array(100_000).fill(0x61)
  return [
    { name: 'nothing', bytes: new Uint8Array(0) },
    { name: 'one byte', bytes: Uint8Array.of(0x7f) },
    { name: 'two bytes', bytes: Uint8Array.of(0, 0xff) },
    { name: 'a block of zeros', bytes: new Uint8Array(32_768) },
    { name: 'a megabyte and a byte of zeros', bytes: new Uint8Array(1_048_577) },
    { name: 'one byte repeated', bytes: repeated },
    { name: 'every byte value', bytes: Uint8Array.from({ length: 512 }, (_, index) => index & 0xff) },
    { name: 'text', bytes: prose(300_000) },
    { name: 'noise', bytes: noise(300_001) },
    { name: 'a disk image that ends within a block', bytes: diskImage(1_300_001) },
    { name: 'a zero run between two noises', bytes: betweenNoises(900_000) },
  ]
}

function betweenNoises(zerosLengthBytes: number): Uint8Array {
  const edge = noise(5_000, 9)
  const bytes = new Uint8Array(zerosLengthBytes + 2 * edge.length)
  bytes.set(edge, 0)
  bytes.set(edge, zerosLengthBytes + edge.length)
  return bytes
}
