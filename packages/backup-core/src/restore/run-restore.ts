import { buildExtentMap, type ExtentMap } from '../chain/extent-map.js'
import { assertValidChain } from '../chain/chain.js'
import { compareWithListing, type ListingFindings } from '../chain/missing-objects.js'
import { readVolumeInfoOrWarn, type VolumeInfo } from '../chain/block-hashes.js'
import type { StoreAccess } from '../store/access.js'
import type { RestoreOptions, RestoreResult } from '../contracts/requests.js'
import type { VolumeExtent, VolumeTarget } from '../contracts/volume.js'
import { BackupError, throwIfAborted } from '../errors/backup-error.js'
import { loadBlockHashes, totalBytes } from '../fetch/ranged-fetch.js'
import { assertFetchable, loadCompressors, type ChainJob } from '../fetch/fetch-object.js'
import { visitObjects, type ObjectVisitor } from '../fetch/visit-objects.js'
import { startHashWorkers } from '../hash/hash-pool.js'
import { sha256fileObjectName } from '../format/object-names.js'
import { restoredVolumeMetadata } from '../format/volume-meta.js'
import { both } from '../pipeline/map-concurrently.js'
import { ProgressMeter } from '../pipeline/progress-meter.js'
import { closeQuietly, openCheckedTarget } from '../volume/checked-volume.js'
import { ExtentWriter, withoutZeroObjects } from './write-extents.js'
import { chainSizeByManifest, manifestStatesSize } from '../chain/volume-size.js'

/**
 * Restores the newest volume of a chain. Checks first, without writing: the chain and its layout, the presence of objects,
 * their compression algorithms, the version of the volume metadata, and the target. Then each visible object is fetched,
 * verified, and written at its offset.
 */
export async function runRestore(
  job: ChainJob,
  volumeTarget: VolumeTarget,
  options: RestoreOptions,
): Promise<RestoreResult> {
  const { access, chain, strict, onWarning } = job
  const { signal, range, overwrite = false, sparse = true } = options
  await assertNotOwnPath(access, volumeTarget)
  const [{ record, manifest }] = chain
  const volumeMetadata = restoredVolumeMetadata(manifest.volumeMeta)
  assertValidChain(chain)
  const volume: VolumeInfo = manifestStatesSize(chain)
    ? { sizeBytes: chainSizeByManifest(chain) }
    : await readVolumeInfoOrWarn(job)
  const window = checkedRange(range, volume.sizeBytes)
  const map = buildExtentMap(chain, window)
  await loadCompressors(job, map.objects)
  for (const item of map.objects) assertFetchable(job, item)
  // Cinder fetches all objects, and fails where that fails.
  const { objects, zeros } = strict ? { ...map, zeros: [] } : await withoutZeroObjects(map, signal)
  startHashWorkers(objects.reduce((sum, { object }) => sum + object.lengthBytes, 0))
  const [findings, blockHashes] = await both(compareWithListing(job), loadBlockHashes(job, objects, volume))
  assertPresent(job, map, findings, { ...volume, ...(blockHashes.fault && { fault: blockHashes.fault }) })
  throwIfAborted(signal, 'The restore')

  const target = await openCheckedTarget(volumeTarget, {
    volumeSizeBytes: volume.sizeBytes,
    startBytes: window.offsetBytes,
    endBytes: window.offsetBytes + window.lengthBytes,
    partial: range !== undefined,
    overwrite,
    backupId: record.id,
    warn: (code, message) => {
      onWarning({ code, message, backupId: record.id })
    },
    ...access.options,
  })
  const meter = new ProgressMeter('restore', window.lengthBytes, options.onProgress)
  const writer = new ExtentWriter(target, sparse)
  try {
    const visitor: ObjectVisitor = {
      countedBytes: ({ visible }) => totalBytes(visible),
      visit: ({ visible }, bytes, offsetBytes, onUsed) =>
        writer.writeBytes({ bytes, offsetBytes }, visible, onUsed),
    }
    await visitObjects(job, objects, visitor, {
      ...{ signal, operation: 'The restore', meter },
      blockHashes: blockHashes.sha256file,
    })
    const writeZeros = async (extents: readonly VolumeExtent[], areUncovered: boolean): Promise<void> => {
      for (const extent of extents) {
        await writer.writeZeros(extent, areUncovered, access.options)
        meter.add({ done: extent.lengthBytes })
      }
    }
    await writeZeros(zeros, false)
    await writeZeros(map.uncovered, true)
    throwIfAborted(signal, 'The restore')
    meter.begin('sync-target')
    await target.finish()
    await target.close()
  } catch (error) {
    // The first error is the one to report: errors of the clean-up follow from it.
    await closeQuietly(target)
    await target.discard?.().catch(() => undefined)
    throw error
  }
  meter.finish()
  const sizes = { sizeBytes: volume.sizeBytes, ...writer.counts, objectsFetched: objects.length }
  return { backupId: record.id, ...sizes, volumeMetadata }
}

/** Rejects a restore that needs a missing object; a missing one that newer layers hide causes a warning. */
function assertPresent(
  { chain, strict, onWarning }: ChainJob,
  map: ExtentMap,
  { missing, extra }: ListingFindings,
  volume: VolumeInfo,
): void {
  const [extraObjects] = extra
  // Both symptoms of a truncated manifest: there are hashes of blocks that no object holds, and objects that no manifest names.
  if (extraObjects && volume.listIsLonger) {
    const message = `The metadata of the chain is damaged: its objects end before the last hashed block. ${extraObjects.message} Nothing was restored.`
    throw new BackupError('METADATA_INVALID', message, { backupId: extraObjects.backupId ?? '' })
  }
  const needed = new Set(map.objects.map(({ object }) => object.name))
  const hashLists = new Set(chain.map(({ record }) => sha256fileObjectName(record.prefix)))
  for (const { message, backupId = '', objectName = '' } of missing) {
    if (hashLists.has(objectName)) {
      // Cinder restores without the block hashes, too. Those of the newest backup were reported before.
      if (volume.fault && backupId === chain[0].record.id) continue
      const advice = 'a restore does not need it, but no incremental can be made on this backup'
      onWarning({ code: 'HASH_LIST_UNREADABLE', message: `${message}; ${advice}.`, backupId })
    } else if (strict || needed.has(objectName)) {
      const what = `Cannot restore backup ${chain[0].record.id}: ${message}. Nothing was written. Verify the backup to see what else is missing.`
      throw new BackupError('OBJECT_MISSING', what, { backupId, objectName, problems: missing })
    } else {
      const warning = `${message}; this restore does not need its data.`
      onWarning({ code: 'UNUSED_OBJECT_MISSING', message: warning, backupId })
    }
  }
}

function checkedRange(range: VolumeExtent | undefined, volumeSizeBytes: number): VolumeExtent {
  if (!range) return { offsetBytes: 0, lengthBytes: volumeSizeBytes }
  const { offsetBytes, lengthBytes } = range
  const whole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
  if (!whole(offsetBytes) || !whole(lengthBytes) || offsetBytes + lengthBytes > volumeSizeBytes) {
    throw new BackupError(
      'OPTION_INVALID',
      `The range of ${lengthBytes} bytes at ${offsetBytes} is not within the volume of ${volumeSizeBytes} bytes. Choose a range that ends within it.`,
    )
  }
  return { offsetBytes, lengthBytes }
}

/** Rejects a target that is a file of the store itself. @throws BackupError `OPTION_INVALID` */
async function assertNotOwnPath({ store, options }: StoreAccess, target: VolumeTarget): Promise<void> {
  const { path } = target as { readonly path?: unknown }
  if (typeof path !== 'string' || !store.capabilities.localFiles) return
  if (!(await store.ownsPath(path, options))) return
  const message = `Cannot restore to ${path}: it is in the directory of the store, or a hard link to a file in it, and could overwrite backups. Choose a target outside of the store.`
  throw new BackupError('OPTION_INVALID', message)
}
