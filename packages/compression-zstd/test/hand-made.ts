import fc from 'fast-check'
/** Parts of zstd frames made by hand (RFC 8878), to say what no compressor would. */

/** A block: stored as it is, or one byte repeated. */
export function block(content: Uint8Array | { byte: number; times: number }, isLast: boolean): Buffer {
  const isStored = content instanceof Uint8Array
  const size = isStored ? content.length : content.times
  const header = Buffer.alloc(3)
  header.writeUIntLE((size << 3) | (isStored ? 0 : 2) | (isLast ? 1 : 0), 0, 3)
  return Buffer.concat([header, isStored ? content : Buffer.of(content.byte)])
}

/** What a frame's header says. */
export interface HeaderParts {
  readonly contentBytes?: bigint
  /** The byte that stands for the window; without it the frame is a single segment. */
  readonly window?: number
  readonly dictionaryId?: number
  /** Bits to be set in the descriptor beside those that the fields need. */
  readonly bits?: number
}

/** A header whose content size, where there is one, takes eight bytes. */
export function header({ contentBytes, window, dictionaryId, bits = 0 }: HeaderParts): Buffer {
  const descriptor =
    bits |
    (contentBytes === undefined ? 0 : 0xc0) |
    (window === undefined ? 0x20 : 0) |
    (dictionaryId === undefined ? 0 : 1)
  const size = Buffer.alloc(contentBytes === undefined ? 0 : 8)
  if (contentBytes !== undefined) size.writeBigUInt64LE(contentBytes)
  return Buffer.concat([
    Buffer.of(0x28, 0xb5, 0x2f, 0xfd, descriptor),
    Buffer.from(window === undefined ? [] : [window]),
    Buffer.from(dictionaryId === undefined ? [] : [dictionaryId]),
    size,
  ])
}

/** The byte that stands for a window of 2^`log` bytes. */
export const windowOfLog = (log: number): number => (log - 10) << 3

/** The longest block. */
export const blockBytes = 128 * 1024

/** A frame of `blocks` times 128 KiB of zeros, four bytes each. */
export const zerosFrame = (blocks: number, parts: HeaderParts): Buffer =>
  Buffer.concat([
    header(parts),
    ...Array.from({ length: blocks }, (_, index) =>
      block({ byte: 0, times: blockBytes }, index === blocks - 1),
    ),
  ])

/** A frame that decoders are to skip. */
export function skippable(content: Uint8Array): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(0x184d2a5f, 0)
  head.writeUInt32LE(content.length, 4)
  return Buffer.concat([head, content])
}

/** A frame of a row: one that says how much it holds, one that does not, or one to skip. */
export const framePart = fc.record({
  content: fc.uint8Array({ maxLength: 300 }),
  kind: fc.constantFrom('says', 'silent', 'skip'),
})

type FramePart = typeof framePart extends fc.Arbitrary<infer T> ? T : never

/** A row of such frames, and what it opens to. */
export function rowOf(parts: readonly FramePart[]): { object: Buffer; raw: Buffer } {
  const frames = parts.map(({ content, kind }) => {
    if (kind === 'skip') return skippable(content)
    const head = kind === 'says' ? { contentBytes: BigInt(content.length) } : { window: windowOfLog(17) }
    return Buffer.concat([header(head), block(content, true)])
  })
  const raw = Buffer.concat(parts.filter(({ kind }) => kind !== 'skip').map(({ content }) => content))
  return { object: Buffer.concat(frames), raw }
}
