import { throwIfAborted } from '@stowage/backup-core'
import { readUint32 } from './bits.js'
import type { CompressedInput } from './compressed-input.js'
import { cutShort, damaged, tooLong, tooShort, trailing } from './corrupt.js'
import type { Bzip2Engine } from './engine.js'
import { firstLevel, headerBytes, levelAt } from './header.js'
import { LookAhead } from './look-ahead.js'
import { MarkScanner } from './marks.js'
import type { OpenedBlock } from './opened-block.js'
import { endMarkBits, streamEnd } from './stream-end.js'

/** Every magic is that long; a block's checksum lies behind it. */
const magicBits = 48
const checksumBytes = 4

/** What to open. */
export interface OpenJob {
  readonly engine: Bzip2Engine
  readonly expectedLengthBytes: number
  /** How many blocks may be under way at once. */
  readonly blocksAhead: number
  readonly signal: AbortSignal | undefined
}

/**
 * Opens a row of bzip2 streams, which must hold the expected length and no more. Their blocks are opened on all cores,
 * whether each is a stream of its own (as Stowage writes) or all are in one (as Cinder does), and given one by one.
 * Each is only good until the next is asked for.
 */
export async function* openStreams(
  input: CompressedInput,
  { engine, expectedLengthBytes, blocksAhead, signal }: OpenJob,
): AsyncGenerator<OpenedBlock> {
  let level = firstLevel(await input.read(0, headerBytes))
  const scanner = new MarkScanner(input)
  const ahead = new LookAhead({ engine, input, scanner, level, blocksAhead })
  let bit = headerBytes * 8
  let checksum = 0
  let offset = 0
  try {
    for (;;) {
      throwIfAborted(signal, 'Decompressing')
      input.forgetBefore(Math.floor(bit / 8))
      const mark = await ahead.markAt(bit)
      if (mark === undefined) {
        const isThere = await input.reach(Math.ceil((bit + magicBits) / 8))
        throw isThere ? damaged('no block where one must begin') : cutShort()
      }
      if (mark.kind === 'block') {
        const blockChecksum = await uint32At(input, bit + magicBits)
        const { opened, endBit } = await ahead.openFirst(level)
        try {
          if (opened.lengthBytes > expectedLengthBytes - offset) throw tooLong(expectedLengthBytes)
          offset += opened.lengthBytes
          yield opened
        } finally {
          opened.free()
        }
        checksum = (((checksum << 1) | (checksum >>> 31)) ^ blockChecksum) >>> 0
        bit = endBit
        continue
      }
      const end = streamEnd(bit)
      if (!(await input.reach(end))) throw cutShort()
      if ((await uint32At(input, bit + endMarkBits)) !== checksum) throw damaged('its checksum is wrong')
      if (!(await input.reach(end + 1))) break
      const next = levelAt(await input.read(end, headerBytes), 0)
      if (next === undefined) throw trailing(input.endByte - end, input.isAllRead)
      level = next
      bit = (end + headerBytes) * 8
      checksum = 0
    }
  } finally {
    await ahead.close()
  }
  if (offset < expectedLengthBytes) throw tooShort(offset, expectedLengthBytes)
}

async function uint32At(input: CompressedInput, bit: number): Promise<number> {
  return readUint32(await input.read(Math.floor(bit / 8), checksumBytes + 1), bit % 8)
}
