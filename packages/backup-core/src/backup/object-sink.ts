import type { Compressor } from '../contracts/compressor.js'
import type { BackupObjectWriter } from '../commit/object-writer.js'
import type { ObjectOptions, ObjectStore } from '../contracts/object-store.js'
import type { CompressedZerosCache } from './compressed-zeros.js'

/** Where a backup's objects go. */
export interface ObjectSink {
  readonly store: ObjectStore
  readonly container: string
  /** Writes the backup's objects. */
  readonly writer: BackupObjectWriter
  readonly compression: Compressor | null
  /** Compresses objects of zeros where `compression` is null. Null where they are stored as they are, too. */
  readonly zerosCompression: Compressor | null
  readonly compressedZeros: CompressedZerosCache
  readonly extraMetadata: ObjectOptions['extraMetadata']
}
