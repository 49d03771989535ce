import type { ConformanceRunner } from '../runner.js'
import type { Compressor } from '@stowage/backup-core'

/** A stream that another program wrote, which a compressor must read. */
export interface GoldenStream {
  /** Its program and content, for the name of the test: `python zlib.compress, text`. */
  readonly name: string
  /** The input of the other program. */
  readonly raw: Uint8Array
  /** Its output. */
  readonly compressed: Uint8Array
}

/** A short stream of another program that decompresses to more than memory holds. */
export interface BombStream {
  /** Its program and content, for the name of the test: `python, 1 GiB of zeros`. */
  readonly name: string
  /** Its output. */
  readonly compressed: Uint8Array
}

/** How a program loads a module: `import`, or `require`. */
export type ProgramFormat = 'module' | 'commonjs'

/** How a program in a child process makes the compressor under test. */
export interface CompressorProgram {
  /**
   * The built module to load: a package's name, resolved from the working directory of the tests, or a `file:` URL.
   */
  readonly module: string
  /** An expression in JavaScript that makes the compressor from the module's exports: `lz4()`. */
  readonly create: string
  /** @default ['module', 'commonjs'] */
  readonly formats?: readonly ProgramFormat[]
  /** A program that runs longer is killed, and fails its test. @default 20000 */
  readonly timeoutMs?: number
}

/** What {@link compressorConformance} needs. */
export interface CompressorConformanceOptions extends ConformanceRunner {
  /** For the name of the suite. */
  readonly label?: string
  /** Makes the compressor under test. Called for each test. */
  readonly create: () => Compressor | Promise<Compressor>
  /** Streams of other programs that must decompress to their raw bytes. */
  readonly golden?: readonly GoldenStream[]
  /** Bombs of other programs that must be refused without filling memory. */
  readonly bombs?: readonly BombStream[]
  /** Declares that the compressor has `decompressStream`. Its tests are skipped otherwise. @default false */
  readonly streams?: boolean
  /** Declares that the compressor has `compressParts`. Its tests are skipped otherwise. @default false */
  readonly parts?: boolean
  /** Lets the suite run programs that use the compressor, to test that they end. @default none */
  readonly program?: CompressorProgram
  /**
   * Also round-trip chunks of 50 MiB, Swift's default chunk size. Off by default: it takes seconds, or minutes for a
   * slow engine.
   */
  readonly large?: boolean
  /**
   * The number of zeros in the suite's own bomb; less for an engine that takes minutes to make it. @default 64 MiB
   */
  readonly bombLengthBytes?: number
  /**
   * The chunk that must not block the main thread while it is compressed; less for an engine that takes minutes for it,
   * but at least 4 MiB: short calls show nothing. @default 50 MiB, Swift's chunk
   */
  readonly chunkSizeBytes?: number
}
