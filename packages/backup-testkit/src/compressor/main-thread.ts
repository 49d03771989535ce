import assert from 'node:assert/strict'
import { assertSameBytes, mustCompress, withCompressor } from './expectations.js'
import { openStream, opensStreams } from './opened-stream.js'
import { PieceSource } from './piece-source.js'
import { diskImage } from './samples.js'
import type { CompressorConformanceOptions } from './types.js'

const defaultChunkSizeBytes = 52_428_800

/**
 * An engine that holds the main thread gives it a turn or two in a call, and one that works on it in steps must take
 * short ones; a call that runs elsewhere leaves it some hundred thousand turns.
 */
const mostBytesATurn = 256 * 1024

/** A call that spends so much of its time in one turn does its work there. */
const largestShareOfATurn = 0.5

/** The machine itself can hold a thread up for a while, and hardly three times in a row. An engine does it each time. */
const attempts = 3

export function mainThreadTests(options: CompressorConformanceOptions): void {
  const { describe, it, chunkSizeBytes = defaultChunkSizeBytes } = options
  const mebibytes = `${Math.round((chunkSizeBytes / 1024 / 1024) * 10) / 10} MiB`

  describe('the main thread', () => {
    it(`goes on with its own work while ${mebibytes} are compressed and decompressed, whole and in pieces`, () =>
      withCompressor(options, async (compressor) => {
        const bytes = diskImage(chunkSizeBytes)
        // The engine's own start, which no chunk's length changes.
        await compressor.decompress(await mustCompress(compressor, new Uint8Array(1_000)), 1_000)
        const compressed = await assertTurns('compress', bytes.length, () => mustCompress(compressor, bytes))
        const opened = await assertTurns('decompress', bytes.length, () =>
          compressor.decompress(compressed, bytes.length),
        )
        assertSameBytes(opened, bytes, 'the round trip')
        if (!opensStreams(compressor)) return
        const streamed = await assertTurns('decompressStream', bytes.length, () =>
          // All in one piece, which is the longest that an engine can be asked to take.
          openStream(compressor, new PieceSource(compressed), bytes.length),
        )
        assertSameBytes(streamed, bytes, 'the stream')
      }))
  })
}

async function assertTurns<T>(what: string, lengthBytes: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const { result, turns, longestShare } = await countTurns(work)
    if (turns >= lengthBytes / mostBytesATurn && longestShare <= largestShareOfATurn) return result
    if (attempt < attempts) continue
    const percent = Math.round(longestShare * 100)
    assert.fail(
      `${what} of ${lengthBytes} bytes left the main thread ${turns} turns, and took ${percent} % of its time in one of them`,
    )
  }
}

interface CountedTurns<T> {
  readonly result: T
  /** How often the event loop came round during the call. */
  readonly turns: number
  /** The longest time between two of them, as a share of the call's. */
  readonly longestShare: number
}

async function countTurns<T>(work: () => Promise<T>): Promise<CountedTurns<T>> {
  const startedMs = performance.now()
  let lastMs = startedMs
  let longestMs = 0
  let turns = 0
  let immediate: NodeJS.Immediate | undefined
  const look = (): void => {
    const nowMs = performance.now()
    longestMs = Math.max(longestMs, nowMs - lastMs)
    lastMs = nowMs
  }
  const turn = (): void => {
    look()
    turns++
    immediate = setImmediate(turn)
  }
  immediate = setImmediate(turn)
  try {
    const result = await work()
    look()
    return { result, turns, longestShare: longestMs / (lastMs - startedMs) }
  } finally {
    clearImmediate(immediate)
  }
}
