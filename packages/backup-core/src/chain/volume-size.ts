import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import type { BackupRecord } from '../driver/types.js'
import type { HashList } from '../format/hash-list.js'
import type { BackupMetadata } from '../format/metadata.js'
import { sha256fileObjectName } from '../format/object-names.js'
import { readSha256file, type Sha256fileHeader } from '../format/sha256file.js'
import { readStream } from '../store/read-object.js'
import type { Chain } from './chain-layer.js'

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
 * The size of the volume, as far as the manifest tells. A full backup holds every byte. An incremental holds the new
 * end of a volume that grew; of one that shrank it says the size, unless Cinder wrote it.
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

/** Whether the manifests of the chain say the size for certain: all but those of incrementals that Cinder wrote. */
export function sizeIsCertain(chain: Chain): boolean {
  const { metadata } = chain[0]
  return metadata.parentId === null || metadata.volumeSizeBytes !== null
}

/**
 * The exact size, from the number of blocks. The newest layer that stored the last block stored it to its end: to the
 * volume's end as it was then and, since the block has not changed, as it is now.
 */
export function sizeByBlocks(chain: Chain, blocks: BlockHashes): number {
  const { blockSizeBytes } = blocks.header
  const end = blocks.hashes.length * blockSizeBytes
  const lastBlockStart = Math.max(0, end - blockSizeBytes)
  for (const { metadata } of chain) {
    let storedEnd = 0
    for (const { offsetBytes, lengthBytes } of metadata.objects) {
      const objectEnd = offsetBytes + lengthBytes
      if (offsetBytes <= lastBlockStart && objectEnd > lastBlockStart)
        storedEnd = Math.max(storedEnd, objectEnd)
    }
    if (storedEnd > 0) return Math.min(end, storedEnd)
  }
  return Math.min(chainSizeByManifest(chain), end)
}
