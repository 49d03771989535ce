import type { Manifest } from '../format/manifest.js'
import type { Chain } from './chain.js'

/** What a manifest states about the volume's size. */
export interface ManifestSize {
  readonly parentId: string | null
  readonly volumeSizeBytes: number | null
  /** The end of the last byte that the backup itself stored. */
  readonly endBytes: number
}

/**
 * The size of the volume by its manifests. Stowage states it. Of Cinder's backups, a full one holds every byte, and an
 * incremental is of a volume of its parent's size: Cinder's volumes do not shrink, and one that grew needs a full backup.
 * (A volume outside of Cinder can shrink within the GiB that Cinder counts in: only the block hashes show that.)
 */
export function sizeByManifest(manifest: ManifestSize, parentSizeBytes: number): number {
  if (manifest.volumeSizeBytes !== null) return manifest.volumeSizeBytes
  return Math.max(manifest.endBytes, manifest.parentId === null ? 0 : parentSizeBytes)
}

/** The end of the last byte that this backup itself stored. */
export function endOfObjects(manifest: Manifest): number {
  let end = 0
  for (const object of manifest.objects) end = Math.max(end, object.offsetBytes + object.lengthBytes)
  return end
}

/** The size of the newest volume of a chain by its manifests alone. */
export function chainSizeByManifest(chain: Chain): number {
  return chain.reduceRight(
    (size, layer) => sizeByManifest({ ...layer.manifest, endBytes: endOfObjects(layer.manifest) }, size),
    0,
  )
}

/**
 * Whether the newest manifest states the size, with a checksum. For any other the block hashes are read, so that a manifest
 * that lost objects, or a size that changed, is noticed.
 */
export function manifestStatesSize(chain: Chain): boolean {
  const { checksummed, volumeSizeBytes } = chain[0].manifest
  return checksummed && volumeSizeBytes !== null
}
