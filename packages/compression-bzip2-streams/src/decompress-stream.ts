import { PieceReader, Turns } from '@stowage/compression-workers'
import { CompressedInput } from './compressed-input.js'
import { openStreams } from './open-streams.js'
import type { OpenJob } from './open-streams.js'

/** What comes out at a time. */
const outputBytes = 256 * 1024

/**
 * Opens a row of bzip2 streams piece by piece. Blocks know nothing of each other, so that a worker is held for the time
 * that one takes, and none while the consumer is busy with what it got.
 */
export async function* decompressStream(
  pieces: AsyncIterable<Uint8Array>,
  job: OpenJob,
): AsyncGenerator<Uint8Array> {
  const reader = new PieceReader(pieces, 'Decompressing', job.signal)
  const turns = new Turns()
  // Workers fill shared memory, which not everything takes that bytes can be handed to.
  const output = new Uint8Array(Math.min(outputBytes, job.expectedLengthBytes))
  try {
    for await (const block of openStreams(CompressedInput.from(reader), job)) {
      for (let filled = block.read(output); filled > 0; filled = block.read(output)) {
        yield output.subarray(0, filled)
        await turns.give()
      }
    }
  } finally {
    await reader.close()
  }
}
