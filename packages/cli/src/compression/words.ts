/** One of Cinder's compression words, and what serves it. */
export interface CompressionWord {
  readonly word: string
  readonly packageName: string
  /** The name of the package's factory. */
  readonly factory: string
  /** Whether it reads objects that memory does not hold: what its package says when it is loaded, known before. */
  readonly streams: boolean
}

const zlibPackage = '@stowage/compression-zlib'
const bz2Package = '@stowage/compression-bz2'
const zstdPackage = '@stowage/compression-zstd'

/** Of the engines of zstd, Node's own alone reads in pieces; it is the one that runs wherever it is to be had. */
const nodeHasZstd = 'createZstdDecompress' in process.getBuiltinModule('node:zlib')

/** Words that mean no compression. All of them are recorded as `none`. */
export const rawWords: readonly string[] = ['none', 'off', 'no']

/** Every word that names an algorithm. The packages of all but zlib are installed beside the command by choice. */
export const compressionWords: readonly CompressionWord[] = [
  { word: 'zlib', packageName: zlibPackage, factory: 'zlib', streams: true },
  { word: 'gzip', packageName: zlibPackage, factory: 'zlib', streams: true },
  { word: 'bz2', packageName: bz2Package, factory: 'bz2', streams: true },
  { word: 'bzip2', packageName: bz2Package, factory: 'bz2', streams: true },
  { word: 'zstd', packageName: zstdPackage, factory: 'zstd', streams: nodeHasZstd },
]

/** Cinder's own default, so that a backup without options is one that Cinder would have written. */
export const defaultCompressionWord = 'zlib'
