import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord } from '../contracts/records.js'
import type { HashList } from '../format/hash-list.js'
import type { BackupMetadata } from '../format/metadata.js'
import { sha256fileObjectName } from '../format/object-names.js'
import { readSha256file, type Sha256fileHeader } from '../format/sha256file.js'
import { readStream } from '../store/objects.js'
import type { Chain } from './chain.js'

/** A backup's `_sha256file`, read. */
export interface BlockHashes {
  readonly header: Sha256fileHeader
  readonly hashes: HashList
}

/** Reads the hashes of all blocks of the volume, as of this backup. */
export function readBlockHashes(
  store: ObjectStore,
  record: Pick<BackupRecord, 'container' | 'prefix'>,
  options: StoreOptions,
): Promise<BlockHashes> {
  const objectName = sha256fileObjectName(record.prefix)
  const where = { container: record.container, objectName }
  return readStream(store, record.container, objectName, { ...options, extraMetadata: null }, (pieces) =>
    readSha256file(pieces, where),
  )
}

/** What a manifest says of the volume's size. */
export interface ManifestSize {
  readonly parentId: string | null
  readonly volumeSizeBytes: number | null
  /** The end of the last byte that the backup itself stored. */
  readonly endBytes: number
}

/**
 * The size of the volume by its manifests. Stowage states it. Of what Cinder wrote, a full backup holds every byte, and
 * an incremental is of a volume of its parent's size: Cinder's volumes do not shrink, and one that grew needs a full
 * backup. (Within the GiB that Cinder counts in, a volume outside of it can shrink: only the hash list knows then.)
 */
export function sizeByManifest(manifest: ManifestSize, parentSizeBytes: number): number {
  if (manifest.volumeSizeBytes !== null) return manifest.volumeSizeBytes
  return Math.max(manifest.endBytes, manifest.parentId === null ? 0 : parentSizeBytes)
}

/** The end of the last byte that this backup itself stored. */
export function endOfObjects(metadata: BackupMetadata): number {
  let end = 0
  for (const object of metadata.objects) end = Math.max(end, object.offsetBytes + object.lengthBytes)
  return end
}

/** The size of the newest volume of a chain by its manifests alone, from the full backup upwards. */
export function chainSizeByManifest(chain: Chain): number {
  return chain.reduceRight(
    (size, layer) => sizeByManifest({ ...layer.metadata, endBytes: endOfObjects(layer.metadata) }, size),
    0,
  )
}
