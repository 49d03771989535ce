import assert from 'node:assert/strict'
import { assertSameBytes, mustCompress, withCompressor } from './expectations.js'
import { openStream, opensStreams } from './opened-stream.js'
import { PieceSource } from './piece-source.js'
import { diskImage } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const defaultChunkSizeBytes = 52_428_800

/**
 * A call that blocks the event loop leaves it one or two iterations, one that runs on another thread some hundred
 * thousand. A compressor that works on the main thread must yield at least once for so many bytes.
 */
const maxBytesPerIteration = 256 * 1024

/** A call that spends more of its time in one iteration blocks the event loop. */
const maxIterationShare = 0.5

/** The machine itself may suspend a thread, but hardly three times in a row; a compressor that blocks does so each time. */
const attempts = 3

export function mainThreadTests(options: CompressorConformanceOptions): void {
  const { describe, it, chunkSizeBytes = defaultChunkSizeBytes } = options
  const mebibytes = `${Math.round((chunkSizeBytes / 1024 / 1024) * 10) / 10} MiB`

  describe('the main thread', () => {
    it(`is not blocked while ${mebibytes} are compressed and decompressed, whole and in pieces`, () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(chunkSizeBytes)
        // Start-up (workers, WebAssembly) does not depend on the length of the chunk.
        await compressor.decompress(await mustCompress(compressor, new Uint8Array(1_000)), 1_000)
        const compressed = await assertYields('compress', bytes.length, () => mustCompress(compressor, bytes))
        const opened = await assertYields('decompress', bytes.length, () =>
          compressor.decompress(compressed, bytes.length),
        )
        assertSameBytes(opened, bytes, 'the round trip')
        if (!opensStreams(compressor)) return
        const streamed = await assertYields('decompressStream', bytes.length, () =>
          // All in one piece: the longest input that a compressor may get.
          openStream(compressor, new PieceSource(compressed), bytes.length),
        )
        assertSameBytes(streamed, bytes, 'the stream')
      }))
  })
}

async function assertYields<T>(what: string, lengthBytes: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const { result, iterations, longestShare } = await countIterations(work)
    if (iterations >= lengthBytes / maxBytesPerIteration && longestShare <= maxIterationShare) return result
    if (attempt < attempts) continue
    const percent = Math.round(longestShare * 100)
    assert.fail(
      `${what} of ${lengthBytes} bytes left the event loop ${iterations} iterations, one of them ${percent} % of the call`,
    )
  }
}

interface CountedIterations<T> {
  readonly result: T
  /** Iterations of the event loop during the call. */
  readonly iterations: number
  /** The longest iteration, as a share of the call's time. */
  readonly longestShare: number
}

async function countIterations<T>(work: () => Promise<T>): Promise<CountedIterations<T>> {
  const startedMs = performance.now()
  let lastMs = startedMs
  let longestMs = 0
  let iterations = 0
  let immediate: NodeJS.Immediate | undefined
  const look = (): void => {
    const nowMs = performance.now()
    longestMs = Math.max(longestMs, nowMs - lastMs)
    lastMs = nowMs
  }
  const iterate = (): void => {
    look()
    iterations++
    immediate = setImmediate(iterate)
  }
  immediate = setImmediate(iterate)
  try {
    const result = await work()
    look()
    return { result, iterations, longestShare: longestMs / (lastMs - startedMs) }
  } finally {
    clearImmediate(immediate)
  }
}
