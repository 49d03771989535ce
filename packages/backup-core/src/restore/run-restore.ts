import { measureVolume, type MeasuredVolume } from '../chain/measure-volume.js'
import { assertSoundChain } from '../chain/sound-chain.js'
import type { RestoreOptions, RestoreResult } from '../contracts/requests.js'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError, type BackupProblem } from '../errors/backup-error.js'
import { sha256fileObjectName } from '../format/object-names.js'
import { restoredVolumeMetadata } from '../format/volume-meta.js'
import type { BackupWarning } from '../contracts/progress.js'
import { ProgressMeter } from '../pipeline/progress-meter.js'
import { openCheckedTarget } from '../volume/checked-volume.js'
import type { OpenTarget, VolumeExtent, VolumeTarget } from '../contracts/volume.js'
import { findMissingObjects } from '../chain/missing-objects.js'
import { buildExtentMap, type ExtentMap } from '../chain/extent-map.js'
import { assertFetchable, type ChainJob } from '../fetch/object-source.js'
import { loadBlockProof, totalBytes } from '../fetch/block-proof.js'
import { ObjectPortions } from '../fetch/object-visitor.js'
import type { ObjectVisitor } from '../fetch/object-visitor.js'
import { layerAt, visitObjects } from '../fetch/visit-objects.js'
import { writeExtents, writeZeros, type WriteCounts } from './write-extents.js'
import { withoutZeroObjects, type MapWithoutZeros } from './zero-objects.js'
import { signalOptions, type ObjectStore, type StoreOptions } from '../contracts/object-store.js'

/**
 * Restores the newest volume of a chain. Everything that can be known beforehand is: the chain and its layout, the objects' presence,
 * their compression words, the volume metadata's version and the target are checked before a byte is written. Then
 * each visible object is fetched once, checked, and written at its offset.
 */
export async function runRestore(
  job: ChainJob,
  target: VolumeTarget,
  options: RestoreOptions,
): Promise<RestoreResult> {
  const { chain, source } = job
  await refuseOwnPath(source.store, target, signalOptions(options.signal))
  const [newest] = chain
  const volumeMetadata = restoredVolumeMetadata(newest.metadata.volumeMeta)
  assertSoundChain(chain)
  const volume = await measureVolume(source.store, chain, {
    ...signalOptions(options.signal),
    onWarning: source.onWarning,
  })
  const volumeSizeBytes = volume.sizeBytes
  const window = checkedRange(options.range, volumeSizeBytes)
  const map = buildExtentMap(
    chain.map((layer) => layer.metadata.objects),
    window,
  )
  for (const { layer, object } of map.objects) assertFetchable(source, layerAt(chain, layer), object)
  await assertPresent(job, map, volume, options)
  // Cinder fetches all there is, and fails where that fails.
  const { objects, zeros } = job.strict
    ? { ...map, zeros: [] }
    : await withoutZeroObjects(map, options.signal)
  throwIfAborted(options.signal, 'The restore')

  const open = await openCheckedTarget(target, {
    volumeSizeBytes,
    endBytes: window.offsetBytes + window.lengthBytes,
    partial: options.range !== undefined,
    overwrite: options.overwrite ?? false,
    startBytes: window.offsetBytes,
    backupId: newest.record.id,
    warn: (code, message) => {
      source.onWarning({ code, message, backupId: newest.record.id })
    },
    ...signalOptions(options.signal),
  })
  const meter = new ProgressMeter('restore', window.lengthBytes, options.onProgress)
  try {
    const counts = await writeMap(job, { objects, zeros, gaps: map.gaps }, volume, open, meter, options)
    meter.begin('sync-target')
    await open.finish()
    await open.close()
    meter.finish()
    return {
      backupId: newest.record.id,
      sizeBytes: volumeSizeBytes,
      ...counts,
      objectsFetched: objects.length,
      volumeMetadata,
    }
  } catch (error) {
    await giveUp(open)
    throw error
  }
}

/** Closes and removes what a failed restore made. What fails now is a consequence: the first error is the one to tell. */
async function giveUp(target: OpenTarget): Promise<void> {
  const ignore = (): void => undefined
  await target.close().catch(ignore)
  await target.discard?.().catch(ignore)
}

async function writeMap(
  job: ChainJob,
  { objects, zeros, gaps }: MapWithoutZeros & Pick<ExtentMap, 'gaps'>,
  volume: MeasuredVolume,
  target: OpenTarget,
  meter: ProgressMeter,
  options: RestoreOptions,
): Promise<WriteCounts> {
  const sparse = options.sparse ?? true
  const totals: WriteCounts = { writtenBytes: 0, sparseBytes: 0 }
  const portions = new ObjectPortions(meter, ({ visible }) => totalBytes(visible))
  const visitor: ObjectVisitor = {
    begin: (item) => portions.begin(item),
    async visit(item, bytes, offsetBytes) {
      const wrote = (lengthBytes: number): void => {
        portions.use(item, lengthBytes)
      }
      const counts = await writeExtents(target, { bytes, offsetBytes }, item.visible, sparse, wrote)
      totals.writtenBytes += counts.writtenBytes
      totals.sparseBytes += counts.sparseBytes
    },
    done(item, storedBytes) {
      portions.finish(item, storedBytes)
    },
  }
  const { signal } = options
  const { store, onWarning } = job.source
  const proof = await loadBlockProof({ store, chain: job.chain, items: objects, volume, signal, onWarning })
  await visitObjects(job, objects, visitor, { signal, operation: 'The restore', proof })
  const blank = async (extent: VolumeExtent, leave: boolean): Promise<void> => {
    if (leave) totals.sparseBytes += extent.lengthBytes
    else {
      await writeZeros(target, extent, options.signal)
      totals.writtenBytes += extent.lengthBytes
    }
    meter.add({ done: extent.lengthBytes })
  }
  for (const extent of zeros) await blank(extent, target.readsAsZeros && sparse)
  for (const gap of gaps) await blank(gap, target.readsAsZeros)
  throwIfAborted(options.signal, 'The restore')
  return totals
}

/** Objects that a newer layer hides are not needed: a warning says when one of those is gone. */
async function assertPresent(
  job: ChainJob,
  map: ExtentMap,
  volume: MeasuredVolume,
  options: RestoreOptions,
): Promise<void> {
  const { source, chain, strict } = job
  let unnamed: BackupWarning | undefined
  const problems = await findMissingObjects({
    store: source.store,
    chain,
    strict,
    onWarning: (warning) => {
      if (warning.code === 'EXTRA_OBJECTS') unnamed ??= warning
      source.onWarning(warning)
    },
    signal: options.signal,
  })
  if (unnamed && volume.listIsLonger) throw lostEntries(unnamed)
  const needed = new Set(map.objects.map(({ object }) => object.name))
  const hashLists = new Set(chain.map(({ record }) => sha256fileObjectName(record.prefix)))
  for (const problem of problems) {
    if (problem.objectName !== undefined && hashLists.has(problem.objectName)) {
      // Cinder restores without it, too.
      if (!volume.listUnusable || problem.backupId !== chain[0].record.id) source.onWarning(lostList(problem))
      continue
    }
    if (problem.objectName !== undefined && (strict || needed.has(problem.objectName))) {
      throw new BackupError(
        'OBJECT_MISSING',
        `${problem.message}: nothing was restored. Verify the backup to see what else is missing.`,
        {
          ...(problem.backupId === undefined ? {} : { backupId: problem.backupId }),
          objectName: problem.objectName,
          problems,
        },
      )
    }
    source.onWarning({
      code: 'LISTING_INCOMPLETE',
      message: `${problem.message}; this restore does not need it.`,
    })
  }
}

/** Two signs agree: the hash list has blocks that no object holds, and objects lie there that no manifest names. */
function lostEntries({ message, backupId = '' }: BackupWarning): BackupError {
  return new BackupError(
    'METADATA_INVALID',
    `The metadata of the chain is damaged: its objects end before the last block that was hashed. ${message} Nothing was restored.`,
    { backupId },
  )
}

function lostList({ message, backupId }: BackupProblem): BackupWarning {
  return {
    code: 'HASH_LIST_UNREADABLE',
    message: `${message}; a restore does not need it, but no incremental can be made on this backup.`,
    ...(backupId === undefined ? {} : { backupId }),
  }
}

function checkedRange(range: VolumeExtent | undefined, volumeSizeBytes: number): VolumeExtent {
  if (!range) return { offsetBytes: 0, lengthBytes: volumeSizeBytes }
  const { offsetBytes, lengthBytes } = range
  const whole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
  if (!whole(offsetBytes) || !whole(lengthBytes) || offsetBytes + lengthBytes > volumeSizeBytes) {
    throw new BackupError(
      'OPTION_INVALID',
      `The range of ${lengthBytes} bytes at ${offsetBytes} is not within the volume of ${volumeSizeBytes} bytes.`,
    )
  }
  return { offsetBytes, lengthBytes }
}

/**
 * Refuses a target that is a file of the store itself: the restore would overwrite backups, the one that it reads
 * perhaps.
 *
 * @throws BackupError `OPTION_INVALID`
 */
export async function refuseOwnPath(
  store: ObjectStore,
  target: VolumeTarget,
  options: StoreOptions,
): Promise<void> {
  const { path } = target as { readonly path?: unknown }
  if (typeof path !== 'string' || !store.capabilities.localFiles) return
  if (!(await store.ownsPath(path, options))) return
  throw new BackupError(
    'OPTION_INVALID',
    `Cannot restore to ${path}: it is in the directory of the store, or a hard link to a file in it, and could overwrite backups. Choose a target outside of the store.`,
  )
}
