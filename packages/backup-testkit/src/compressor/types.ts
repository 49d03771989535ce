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

/** A short stream that another program wrote, and that opens to far more than fits into memory. */
export interface BombStream {
  /** Who wrote what, for the name of the test: `python, 1 GiB of zeros`. */
  readonly name: string
  /** The bytes that it wrote. */
  readonly compressed: Uint8Array
}

/** How a program loads a module: `import`, or `require`. */
export type ProgramFormat = 'module' | 'commonjs'

/** How a program of its own process makes the compressor under test. */
export interface CompressorProgram {
  /**
   * What it loads, built: a package's name, as found from the working directory of the tests, or a `file:` URL.
   */
  readonly module: string
  /** An expression in JavaScript that makes the compressor from the module's exports: `lz4()`. */
  readonly create: string
  /** @default ['module', 'commonjs'] */
  readonly formats?: readonly ProgramFormat[]
  /** A program that has not ended by then is killed, and has failed. @default 20000 */
  readonly timeoutMs?: number
}

/** What {@link compressorConformance} needs. */
export interface CompressorConformanceOptions extends TestRunner {
  /** Shown in the names of the tests; the compressor's own name where it is left out. */
  readonly label?: string
  /** Makes the compressor under test. Called for each test. */
  readonly create: () => Compressor | Promise<Compressor>
  /** Streams of other programs that must open to their raw bytes. */
  readonly golden?: readonly GoldenStream[]
  /** Streams of other programs that must be refused without the memory that they would fill. */
  readonly bombs?: readonly BombStream[]
  /**
   * Whether the compressor has `decompressStream`. Where it is true, one without fails; where it is left out, the tests
   * of it pass on one without. @default undefined
   */
  readonly streams?: boolean
  /**
   * Whether the compressor has `compressParts`. Where it is true, one without fails; where it is left out, the tests of
   * it pass on one without. @default undefined
   */
  readonly parts?: boolean
  /** Lets the suite run programs that use the compressor, and see that they end. @default undefined: it runs none */
  readonly program?: CompressorProgram
  /**
   * Also round-trip chunks of 50 MiB, Swift's default chunk size. Off by default: it takes seconds, or minutes for a
   * slow engine.
   */
  readonly large?: boolean
  /**
   * How many bytes of zeros the bomb opens to. 64 MiB by default; less for an engine that takes minutes to make it.
   */
  readonly bombLengthBytes?: number
  /**
   * How long the chunk is, in bytes, during which the main thread must go on with its own work. 50 MiB by default, Swift's
   * chunk; less for an engine that takes minutes for it. Not less than 4 MiB: the shortest calls show nothing.
   */
  readonly chunkSizeBytes?: number
}
