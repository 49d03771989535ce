/*
 * What the command must know of Stowage's own packages before it loads them: loading one to learn its schemes would take
 * longer than the rest of the start. A test compares these tables with what the packages export.
 */

/** A backend package that is a dependency of the command. */
export interface OwnBackend {
  readonly packageName: string
  readonly schemes: readonly string[]
  readonly flags: readonly string[]
}

/** The backends that are installed with the command. */
export const ownBackends: readonly OwnBackend[] = [
  { packageName: '@stowage/backup-posix', schemes: ['posix', 'file'], flags: [] },
  { packageName: '@stowage/backup-swift', schemes: ['swift'], flags: ['os-cloud', 'cinder-conf'] },
  {
    packageName: '@stowage/backup-s3',
    schemes: ['s3'],
    flags: ['s3-endpoint', 's3-region', 's3-profile', 's3-virtual-host', 's3-conditional-put', 'cinder-conf'],
  },
]

/** A compressor package of Stowage. Only that of zlib is a dependency of the command. */
export interface OwnCompressor {
  readonly packageName: string
  readonly algorithms: readonly string[]
  /** For the message that offers it. */
  readonly remark?: string
}

/** An engine of bzip2: libbzip2 in WebAssembly, or compressjs in JavaScript. */
export type Bz2Engine = 'libbzip2' | 'compressjs'

/** The packages of the values of `--bz2-engine`, the first choice first. */
export const bz2Packages: Readonly<Record<Bz2Engine, OwnCompressor>> = {
  libbzip2: { packageName: '@stowage/compression-bz2', algorithms: ['bz2', 'bzip2'] },
  compressjs: {
    packageName: '@stowage/compression-compressjs',
    algorithms: ['bz2', 'bzip2'],
    remark: 'slower, without WebAssembly, and on a GPL library',
  },
}

/** The values of `--bz2-engine`, the first choice first. */
export const bz2Engines: readonly Bz2Engine[] = ['libbzip2', 'compressjs']

/** Stowage's compressors. Where two packages have an algorithm, the first that is installed is used. */
export const ownCompressors: readonly OwnCompressor[] = [
  { packageName: '@stowage/compression-zlib', algorithms: ['zlib', 'gzip'] },
  ...bz2Engines.map((engine) => bz2Packages[engine]),
  { packageName: '@stowage/compression-zstd', algorithms: ['zstd'] },
]
