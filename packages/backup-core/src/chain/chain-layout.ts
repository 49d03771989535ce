import { BackupError } from '../errors/backup-error.js'
import type { StoredObject } from '../format/metadata.js'
import { metadataObjectName } from '../format/object-names.js'
import type { Chain, ChainLayer } from './chain.js'

/**
 * Checks the layout of each manifest in a chain: damage that leaves valid JSON would otherwise silently restore zeros, or
 * the data of an older backup.
 *
 * The objects of a full backup cover the volume from 0 on, in their order, without a gap or an overlap. Those of an
 * incremental ascend without an overlap, and cover everything past the end of the parent's volume. A size that a manifest
 * states is one that its chain has data for. An object without bytes is the only one of a volume without bytes. Cinder's
 * drivers and Stowage write nothing else.
 *
 * @throws BackupError `METADATA_INVALID`
 */
export function assertSoundChain(chain: Chain): void {
  let parentSizeBytes = 0
  for (const layer of chain.toReversed()) {
    const isFull = layer.metadata.parentId === null
    const dataEndBytes = assertOrder(layer, isFull ? 0 : parentSizeBytes)
    assertStatedSize(layer, dataEndBytes, isFull)
    parentSizeBytes = layer.metadata.volumeSizeBytes ?? dataEndBytes
    assertLengths(layer, parentSizeBytes)
  }
}

/** @returns the end of all data up to this layer */
function assertOrder(layer: ChainLayer, parentSizeBytes: number): number {
  const placeOf = ({ name, offsetBytes, lengthBytes }: StoredObject): string =>
    `${name} (bytes ${offsetBytes} to ${offsetBytes + lengthBytes})`
  let before: StoredObject | undefined
  let endBytes = 0
  let coveredBytes = parentSizeBytes
  for (const object of layer.metadata.objects) {
    if (object.offsetBytes < endBytes) {
      const other = before ? placeOf(before) : 'the start of the volume'
      throw unsound(layer, object, `${placeOf(object)} begins before the end of ${other}`)
    }
    if (object.offsetBytes > coveredBytes) {
      const where = before ? `between ${before.name} and ${object.name}` : `before ${object.name}`
      const what = `no object holds bytes ${coveredBytes} to ${object.offsetBytes} of the volume, ${where}`
      throw unsound(layer, object, what)
    }
    endBytes = object.offsetBytes + object.lengthBytes
    coveredBytes = Math.max(coveredBytes, endBytes)
    before = object
  }
  return coveredBytes
}

const MD5_OF_NO_BYTES = 'd41d8cd98f00b204e9800998ecf8427e'

/** A length that was changed to 0 would restore the parents' data in place of the object's. */
function assertLengths(layer: ChainLayer, volumeSizeBytes: number): void {
  const { objects } = layer.metadata
  const isEmptyVolume = volumeSizeBytes === 0 && objects.length === 1
  for (const object of objects) {
    if (object.lengthBytes > 0 || (isEmptyVolume && object.md5 === MD5_OF_NO_BYTES)) continue
    const what = `${object.name} has \`length\` 0 at byte ${object.offsetBytes}, which only the one object of an empty volume has`
    throw unsound(layer, object, what)
  }
}

/** A volume that grew is stored to its new end; one that shrank states a smaller size than there is data for. */
function assertStatedSize(layer: ChainLayer, dataEndBytes: number, isFull: boolean): void {
  const stated = layer.metadata.volumeSizeBytes
  if (stated === null || stated === dataEndBytes || (stated < dataEndBytes && !isFull)) return
  const owner = isFull ? '' : 'of its chain '
  const what = `\`volume_size_bytes\` is ${stated}, but the objects ${owner}end at byte ${dataEndBytes}`
  throw unsound(layer, undefined, what)
}

/** The error for a manifest that is damaged. */
export function unsound(layer: ChainLayer, object: StoredObject | undefined, what: string): BackupError {
  const { id, container, prefix } = layer.record
  const manifest = metadataObjectName(prefix)
  return new BackupError(
    'METADATA_INVALID',
    `The metadata of backup ${id} is damaged: ${what}. Nothing was restored from it. Use another backup of the volume, or another copy of ${manifest}.`,
    {
      ...{ backupId: id, container, objectName: object?.name ?? manifest },
      ...(object && { offsetBytes: object.offsetBytes }),
    },
  )
}
