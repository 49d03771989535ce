import type { Compressor } from '@stowage/backup-core'

/** The two functions of a test runner that a suite needs: those of vitest, `node:test`, mocha or jest will do. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => void
  readonly it: (name: string, body: () => Promise<void>) => void
}

/** A stream that another program wrote, which a compressor must read. */
export interface GoldenStream {
  /** Who wrote what, for the name of the test: `python zlib.compress, text`. */
  readonly name: string
  /** The bytes that the other program was given. */
  readonly raw: Uint8Array
  /** The bytes that it wrote. */
  readonly compressed: Uint8Array
}

/** What {@link compressorConformance} needs. */
export interface CompressorConformanceOptions extends TestRunner {
  /** Shown in the names of the tests; the compressor's own word where it is left out. */
  readonly label?: string
  /** Makes the compressor under test. Called once a test; the suite closes what it made. */
  readonly create: () => Compressor | Promise<Compressor>
  /** Streams of other programs that must open to their raw bytes. */
  readonly golden?: readonly GoldenStream[]
  /**
   * Also round-trip chunks of 50 MiB, Swift's default chunk size. Off by default: it takes seconds, or minutes for a
   * slow engine.
   */
  readonly large?: boolean
  /**
   * How many bytes of zeros the bomb opens to. 64 MiB by default; less for an engine that takes minutes to make it.
   */
  readonly bombLengthBytes?: number
}
