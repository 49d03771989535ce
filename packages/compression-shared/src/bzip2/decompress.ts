import { throwIfAborted } from '@stowage/backup-core'
import { EventLoopYielder } from '../event-loop.js'
import { PieceReader } from '../piece-reader.js'
import { releaseBlockMemory } from './block-memory.js'
import { MarkScanner } from './block-scanner.js'
import { CompressedInput } from './compressed-input.js'
import type { Bzip2Engine } from './engine.js'
import { errors, headerBytes, levelAt, magicBits, readUint32, streamEnd } from './format.js'
import { LookAhead } from './look-ahead.js'
import type { OpenedBlock } from './opened-block.js'

/** A block's checksum follows its magic. */
const checksumBytes = 4

/** How much is yielded at a time. */
const outputBytes = 256 * 1024

/** How to decompress a sequence of streams. */
export interface DecompressJob {
  readonly engine: Bzip2Engine
  readonly expectedLengthBytes: number
  /** How many blocks may be decompressed ahead. */
  readonly blocksAhead: number
  readonly signal: AbortSignal | undefined
}

/** Decompresses a sequence of bzip2 streams that comes in pieces, piece by piece. */
export async function* decompressStream(
  pieces: AsyncIterable<Uint8Array>,
  job: DecompressJob,
): AsyncGenerator<Uint8Array> {
  const reader = new PieceReader(pieces, job.signal)
  try {
    yield* decompressInput(new CompressedInput(reader), job)
  } finally {
    await reader.close()
  }
}

/**
 * Decompresses a sequence of bzip2 streams. Blocks do not depend on each other, so that a worker is used for the time that
 * one takes, and none while the consumer works on what it got.
 */
export async function* decompressInput(
  input: CompressedInput,
  job: DecompressJob,
): AsyncGenerator<Uint8Array> {
  throwIfAborted(job.signal, 'Decompressing')
  const yielder = new EventLoopYielder()
  // Blocks lie in shared memory, which not every consumer of bytes accepts.
  const output = new Uint8Array(Math.min(outputBytes, job.expectedLengthBytes))
  for await (const block of openBlocks(input, job)) {
    for (let filled = block.read(output); filled > 0; filled = block.read(output)) {
      yield output.subarray(0, filled)
      await yielder.yieldIfDue()
    }
  }
}

/**
 * Yields the blocks of a sequence of streams, which must hold the expected length and no more. Blocks are decompressed
 * on all cores, whether each is a stream of its own (as Stowage writes) or all are in one (as Cinder does).
 */
async function* openBlocks(
  input: CompressedInput,
  { engine, expectedLengthBytes, blocksAhead, signal }: DecompressJob,
): AsyncGenerator<OpenedBlock> {
  const header = await input.read(0, headerBytes)
  let level = levelAt(header)
  if (level === undefined) throw header.length < headerBytes ? errors.cutShort() : errors.wrongFormat()
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
        throw isThere ? errors.damaged('a block is missing') : errors.cutShort()
      }
      if (mark.kind === 'block') {
        const blockChecksum = await uint32At(input, bit + magicBits)
        const { opened, endBit } = await ahead.openFirst(level)
        if (opened.lengthBytes > expectedLengthBytes - offset) throw errors.tooLong(expectedLengthBytes)
        offset += opened.lengthBytes
        yield opened
        releaseBlockMemory(opened.memory)
        checksum = (((checksum << 1) | (checksum >>> 31)) ^ blockChecksum) >>> 0
        bit = endBit
        continue
      }
      const end = streamEnd(bit)
      if (!(await input.reach(end))) throw errors.cutShort()
      if ((await uint32At(input, bit + magicBits)) !== checksum) throw errors.damaged('its checksum is wrong')
      if (!(await input.reach(end + 1))) break
      const next = levelAt(await input.read(end, headerBytes))
      if (next === undefined) throw errors.trailing(input.endByte - end, !input.isAllRead)
      level = next
      bit = (end + headerBytes) * 8
      checksum = 0
    }
  } finally {
    await ahead.close()
  }
  if (offset < expectedLengthBytes) throw errors.tooShort(offset, expectedLengthBytes)
}

async function uint32At(input: CompressedInput, bit: number): Promise<number> {
  return readUint32(await input.read(Math.floor(bit / 8), checksumBytes + 1), bit % 8)
}
