/** A compression algorithm, by the name that Cinder records, and its packages. */
export interface CompressionAlgorithm {
  readonly algorithm: string
  /** One of these packages is enough; the first is the first choice. */
  readonly packages: readonly [AlgorithmPackage, ...AlgorithmPackage[]]
  /** Whether its package has `decompressStream`, known before it is loaded. */
  readonly streams: boolean
}

/** A package with a compressor. */
export interface AlgorithmPackage {
  readonly packageName: string
  /** The name of the package's factory. */
  readonly factory: string
  /** Its value of `--bz2-engine`. */
  readonly engine?: Bz2Engine
  /** For the message that offers it. */
  readonly remark?: string
}

/** An engine of bzip2: libbzip2 in WebAssembly, or compressjs in JavaScript. */
export type Bz2Engine = 'libbzip2' | 'compressjs'

/** The values of `--bz2-engine`, the first choice first. */
export const bz2Engines: readonly Bz2Engine[] = ['libbzip2', 'compressjs']

const zlib: AlgorithmPackage = { packageName: '@stowage/compression-zlib', factory: 'zlib' }
const zstd: AlgorithmPackage = { packageName: '@stowage/compression-zstd', factory: 'zstd' }
const bz2: AlgorithmPackage = { packageName: '@stowage/compression-bz2', factory: 'bz2', engine: 'libbzip2' }
const bz2Compressjs: AlgorithmPackage = {
  packageName: '@stowage/compression-compressjs',
  factory: 'bz2Compressjs',
  engine: 'compressjs',
  remark: 'slower, without WebAssembly, and on a GPL library',
}

/** Of the engines of zstd only Node's own has `decompressStream`; it is the default where Node has it. */
const nodeHasZstd = 'createZstdDecompress' in process.getBuiltinModule('node:zlib')

/** Names for no compression. All of them are recorded as `none`. */
export const rawNames: readonly string[] = ['none', 'off', 'no']

/** All algorithms. Only zlib's package is a dependency of the command; the user installs the others. */
export const compressionAlgorithms: readonly CompressionAlgorithm[] = [
  { algorithm: 'zlib', packages: [zlib], streams: true },
  { algorithm: 'gzip', packages: [zlib], streams: true },
  { algorithm: 'bz2', packages: [bz2, bz2Compressjs], streams: true },
  { algorithm: 'bzip2', packages: [bz2, bz2Compressjs], streams: true },
  { algorithm: 'zstd', packages: [zstd], streams: nodeHasZstd },
]

/** Cinder's own default, so that a backup without options is one that Cinder would have written. */
export const defaultAlgorithm = 'zlib'
