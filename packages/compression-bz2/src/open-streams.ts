import { throwIfAborted } from '@stowage/backup-core'
import { joinInTurns } from '@stowage/compression-workers'
import { readUint32 } from './bits.js'
import { cutShort, damaged, tooLong, tooShort, trailing } from './corrupt.js'
import { firstLevel, headerBytes, levelAt } from './header.js'
import { LookAhead } from './look-ahead.js'
import { MarkScanner } from './marks.js'
import type { Mark } from './marks.js'
import { endMarkBits, streamEnd } from './stream-end.js'

/** A block's checksum lies behind its magic. */
const magicBits = 48

/**
 * Opens a row of bzip2 streams into `target`, which they must fill to the last byte and no further. Their blocks are
 * opened on all cores, whether each is a stream of its own (as this package writes) or all are in one (as Cinder does).
 */
export async function openStreams(
  target: Uint8Array,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
  scanner: { next(): Promise<Mark | undefined> } = new MarkScanner(bytes),
): Promise<void> {
  const ahead = new LookAhead(bytes, target.length, () => scanner.next())
  let level = firstLevel(bytes)
  let bit = headerBytes * 8
  let checksum = 0
  let offset = 0
  try {
    for (;;) {
      throwIfAborted(signal, 'Decompressing')
      const mark = await ahead.markAt(bit)
      if (mark === undefined) {
        throw bit + magicBits > bytes.length * 8 ? cutShort() : damaged('no block where one must begin')
      }
      if (mark.kind === 'block') {
        const { opened, endBit } = await ahead.openFirst(level)
        if (opened === 'too long' || opened.bytes.length > target.length - offset)
          throw tooLong(target.length)
        await joinInTurns([opened.bytes], target.subarray(offset))
        offset += opened.bytes.length
        opened.free()
        checksum = (((checksum << 1) | (checksum >>> 31)) ^ readUint32(bytes, bit + magicBits)) >>> 0
        bit = endBit
        continue
      }
      const end = streamEnd(bit)
      if (end > bytes.length) throw cutShort()
      if (readUint32(bytes, bit + endMarkBits) !== checksum) throw damaged('its checksum is wrong')
      if (end === bytes.length) break
      const next = levelAt(bytes, end)
      if (next === undefined) throw trailing(bytes.length - end)
      level = next
      bit = (end + headerBytes) * 8
      checksum = 0
    }
  } finally {
    await ahead.close()
  }
  if (offset < target.length) throw tooShort(offset, target.length)
}
