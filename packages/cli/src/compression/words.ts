/** One of Cinder's compression words, and what serves it. */
export interface CompressionWord {
  readonly word: string
  /** The packages that serve it, one of which is enough, the first choice first. */
  readonly packages: readonly [WordPackage, ...WordPackage[]]
  /** Whether it reads objects that memory does not hold: what its package says when it is loaded, known before. */
  readonly streams: boolean
}

/** A package that serves a word. */
export interface WordPackage {
  readonly packageName: string
  /** The name of the package's factory. */
  readonly factory: string
  /** What `--bz2-engine` calls it, where there is a choice. */
  readonly engine?: Bz2Engine
  /** What to know before it is installed. */
  readonly remark?: string
}

/** What runs bzip2: libbzip2 in WebAssembly, or compressjs in JavaScript. */
export type Bz2Engine = 'libbzip2' | 'compressjs'

/** The engines that `--bz2-engine` may name, the first choice first. */
export const bz2Engines: readonly Bz2Engine[] = ['libbzip2', 'compressjs']

const zlib: WordPackage = { packageName: '@stowage/compression-zlib', factory: 'zlib' }
const zstd: WordPackage = { packageName: '@stowage/compression-zstd', factory: 'zstd' }
const bz2: WordPackage = { packageName: '@stowage/compression-bz2', factory: 'bz2', engine: 'libbzip2' }
const bz2Compressjs: WordPackage = {
  packageName: '@stowage/compression-compressjs',
  factory: 'bz2Compressjs',
  engine: 'compressjs',
  remark: 'slower, without WebAssembly, and on a GPL library',
}

/** Of the engines of zstd, Node's own alone reads in pieces; it is the one that runs wherever it is to be had. */
const nodeHasZstd = 'createZstdDecompress' in process.getBuiltinModule('node:zlib')

/** Words that mean no compression. All of them are recorded as `none`. */
export const rawWords: readonly string[] = ['none', 'off', 'no']

/** Every word that names an algorithm. The packages of all but zlib are installed beside the command by choice. */
export const compressionWords: readonly CompressionWord[] = [
  { word: 'zlib', packages: [zlib], streams: true },
  { word: 'gzip', packages: [zlib], streams: true },
  { word: 'bz2', packages: [bz2, bz2Compressjs], streams: true },
  { word: 'bzip2', packages: [bz2, bz2Compressjs], streams: true },
  { word: 'zstd', packages: [zstd], streams: nodeHasZstd },
]

/** Cinder's own default, so that a backup without options is one that Cinder would have written. */
export const defaultCompressionWord = 'zlib'
