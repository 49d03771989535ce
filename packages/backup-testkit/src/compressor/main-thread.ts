import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
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

/** A call blocks the event loop where the CPU time of one iteration is more than this share of the whole call's time. */
const maxIterationShare = 0.5

/** How often the CPU time of the thread is read. */
const sampleMs = 1

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
  const { result, iterations, longestShare } = await countIterations(work)
  const percent = Math.round(longestShare * 100)
  assert.ok(
    iterations >= lengthBytes / maxBytesPerIteration && longestShare <= maxIterationShare,
    `${what} of ${lengthBytes} bytes left the event loop ${iterations} iterations, one of them ${percent} % of the call`,
  )
  return result
}

interface CountedIterations<T> {
  readonly result: T
  /** Iterations of the event loop during the call. */
  readonly iterations: number
  /** The CPU time of the longest iteration, as a share of the call's time. */
  readonly longestShare: number
}

async function countIterations<T>(work: () => Promise<T>): Promise<CountedIterations<T>> {
  const startedMs = performance.now()
  let sampledMs = startedMs
  let cpuMs = threadCpuMs()
  let longestMs = 0
  let iterations = 0
  let immediate: NodeJS.Immediate | undefined
  const look = (): void => {
    const nowMs = performance.now()
    if (nowMs - sampledMs < sampleMs) return
    const nowCpuMs = threadCpuMs()
    longestMs = Math.max(longestMs, nowCpuMs - cpuMs)
    cpuMs = nowCpuMs
    sampledMs = nowMs
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
    return { result, iterations, longestShare: longestMs / (performance.now() - startedMs) }
  } finally {
    clearImmediate(immediate)
  }
}

/** Node.js 23.9 and later. */
type ThreadCpuUsage = () => { readonly user: number; readonly system: number }

/**
 * The CPU time of this thread, in milliseconds. Unlike the clock it does not advance while the machine runs something else,
 * which on a busy one looks like a blocked thread. Where neither Node.js nor the system reports it, this returns
 * the time of the clock.
 */
function threadCpuMs(): number {
  const { threadCpuUsage } = process as { readonly threadCpuUsage?: ThreadCpuUsage }
  if (threadCpuUsage) {
    const { user, system } = threadCpuUsage.call(process)
    return (user + system) / 1_000
  }
  try {
    // Linux: the first number is the time on a CPU, in nanoseconds (Documentation/scheduler/sched-stats.rst).
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ', 1)[0]) / 1e6
  } catch {
    return performance.now()
  }
}
