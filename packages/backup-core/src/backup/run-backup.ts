import type { BackupCatalog } from '../catalog/catalog.js'
import { endOfObjects, sizeByManifest } from '../chain/volume-size.js'
import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import type { BackupRequest } from '../driver/requests.js'
import type { DriverSettings } from '../driver/settings.js'
import type { BackupRecord } from '../driver/types.js'
import { throwIfAborted } from '../errors/abort.js'
import { BackupError } from '../errors/backup-error.js'
import { HashList } from '../format/hash-list.js'
import { FORMAT_VERSION, metadataBody, type BackupMetadata } from '../format/metadata.js'
import { controlObjectNames } from '../store/list-objects.js'
import { metadataObjectName } from '../format/object-names.js'
import { sha256fileBody } from '../format/sha256file.js'
import { formatCreatedAt } from '../format/timestamps.js'
import { startHashWorkers } from '../hash/hash-pool.js'
import { planBackupMemory } from '../pipeline/memory-plan.js'
import { ProgressMeter } from '../progress/progress-meter.js'
import type { OperationOptions, WarningListener } from '../progress/progress.js'
import { writeObject } from '../store/write-object.js'
import type { OpenSource, VolumeSource } from '../volume/volume.js'
import { cleanUp } from './clean-up.js'
import { chooseNames, prepareBackup, type BackupMeans, type PreparedBackup } from './prepare.js'
import { askForHints } from './source-hints.js'
import { storeChunks, type ChunkJob } from './store-chunks.js'
import { signalOptions } from '../driver/signal-options.js'

/** What a backup works with, beside its request. */
export interface BackupJob extends BackupMeans {
  readonly catalog: BackupCatalog
  readonly onWarning: WarningListener
}

/** Hashing this much takes about as long as a worker takes to start. */
const WORTH_A_WORKER_BYTES = 32 * 1024 * 1024

/**
 * Makes a backup: full, or incremental where the request has a parent. Until its `_metadata` is written there is no
 * backup; a failure before that removes what was written.
 */
export async function runBackup(
  job: BackupJob,
  request: BackupRequest,
  source: VolumeSource,
  options: OperationOptions,
): Promise<BackupRecord> {
  const { signal } = options
  const storeOptions: StoreOptions = signalOptions(signal)
  throwIfAborted(signal, 'The backup')
  // First of all, so that a stream is closed whatever is refused next.
  const open = await source.openSource(storeOptions)
  try {
    startHashWorkers(Math.floor((open.sizeBytes ?? 0) / WORTH_A_WORKER_BYTES))
    const prepared = await prepareBackup(job, request, storeOptions)
    refuseGrowth(job.settings, prepared, open.sizeBytes ?? 0)
    const names = await chooseNames(job.store, job.settings, prepared.backup, storeOptions)
    await job.store.putContainer(names.container, storeOptions)
    const chunkJob = await planChunks(job, prepared, names, open)
    const meter = new ProgressMeter('backup', open.sizeBytes, options.onProgress)
    let record: BackupRecord
    try {
      await storeHinted(chunkJob, prepared, open, meter, signal)
      // A stream has told its size by now.
      refuseGrowth(job.settings, prepared, chunkJob.totals.sizeBytes)
      await warnIfChanged(job, prepared, open)
      record = await commit(job, prepared, chunkJob, storeOptions)
    } catch (error) {
      throw await cleanUp(job.store, names.container, names.prefix, chunkJob.namesTaken, error)
    }
    await enter(job.catalog, record)
    meter.finish()
    return record
  } finally {
    // What became of the backup is decided: a source that does not close neither undoes it nor hides why it failed.
    await open.close().catch(() => undefined)
  }
}

async function storeHinted(
  chunks: ChunkJob,
  { parent, blockSizeBytes }: PreparedBackup,
  source: OpenSource,
  meter: ProgressMeter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const hints = await askForHints(source, parent, blockSizeBytes, signal)
  try {
    await storeChunks(chunks, source, hints, meter, signal)
  } finally {
    await hints[Symbol.asyncDispose]()
  }
}

/** Tells the catalog of a backup that is committed: from here on neither an abort nor an error undoes it. */
async function enter(catalog: BackupCatalog, record: BackupRecord): Promise<void> {
  try {
    await catalog.put(record)
  } catch (cause) {
    throw new BackupError(
      'STORE_FAILED',
      `Backup ${record.id} is stored and whole, but the catalog could not be told of it. Export its record and import it when the catalog answers.`,
      { backupId: record.id, cause },
    )
  }
}

/** Cinder refuses an incremental of a volume that grew; here it is one more change. */
function refuseGrowth(settings: DriverSettings, { parent }: PreparedBackup, sizeBytes: number): void {
  if (!settings.strict || !parent || sizeBytes <= parent.record.sizeBytes) return
  throw new BackupError('VOLUME_GREW', 'Volume size increased since the last backup. Do a full backup.', {
    backupId: parent.record.id,
  })
}

async function planChunks(
  job: BackupJob,
  prepared: PreparedBackup,
  names: { container: string; prefix: string },
  source: OpenSource,
): Promise<ChunkJob> {
  const plan = planBackupMemory({
    chunkSizeBytes: prepared.chunkSizeBytes,
    blockSizeBytes: prepared.blockSizeBytes,
    volumeSizeBytes: source.sizeBytes,
    incremental: prepared.parent !== null,
    compressed: job.settings.compression !== null,
    concurrency: job.settings.concurrency,
    maxMemoryBytes: job.settings.maxMemoryBytes,
  })
  return {
    sink: {
      store: job.store,
      container: names.container,
      compression: job.settings.compression,
      extraMetadata: await job.store.getExtraMetadata(prepared.backup),
    },
    prefix: names.prefix,
    plan,
    blockSizeBytes: prepared.blockSizeBytes,
    incremental: prepared.parent !== null,
    joinGapBytes: job.settings.joinGapBytes,
    hashes: prepared.parent?.blocks.hashes ?? new HashList(),
    objects: [],
    namesTaken: [],
    totals: { sizeBytes: 0 },
  }
}

/** Writes the two JSON objects, the commit object last, when all else is there and the parent still is. */
async function commit(
  job: BackupJob,
  prepared: PreparedBackup,
  chunks: ChunkJob,
  options: StoreOptions,
): Promise<BackupRecord> {
  const { backup, parent } = prepared
  const { sink, prefix } = chunks
  const [metadataName, sha256fileName] = controlObjectNames(prefix)
  const common = {
    backupId: backup.id,
    volumeId: backup.volumeId,
    backupName: backup.name,
    backupDescription: backup.description,
    createdAt: formatCreatedAt(backup.createdAt),
  }
  const objects = chunks.objects.map((object, index) => {
    if (!object) throw new RangeError(`object ${index + 1} was never stored`)
    return object
  })
  const manifest: BackupMetadata = {
    ...common,
    version: FORMAT_VERSION,
    parentId: backup.parentId,
    volumeMeta: prepared.volumeMeta,
    extraMetadata: sink.extraMetadata,
    objects,
    volumeSizeBytes: null,
  }
  const { sizeBytes } = chunks.totals
  // Only of a volume that shrank does the manifest not tell the size; Cinder ignores the key that then does.
  const sizeTold =
    sizeByManifest({ ...manifest, endBytes: endOfObjects(manifest) }, parent?.record.sizeBytes ?? 0) ===
    sizeBytes
  const metadata = sizeTold ? manifest : { ...manifest, volumeSizeBytes: sizeBytes }
  const objectOptions = { ...options, extraMetadata: null }
  const hashFile = sha256fileBody({ ...common, blockSizeBytes: prepared.blockSizeBytes }, chunks.hashes)
  await writeObject(sink.store, sink.container, sha256fileName, hashFile, objectOptions)
  if (parent) await assertStillThere(sink.store, parent.record, options)
  await writeObject(sink.store, sink.container, metadataName, metadataBody(metadata), objectOptions)
  return {
    id: backup.id,
    volumeId: backup.volumeId,
    parentId: backup.parentId,
    container: sink.container,
    prefix,
    name: backup.name,
    description: backup.description,
    createdAt: common.createdAt,
    sizeBytes,
    objectCount: objects.length,
  }
}

async function assertStillThere(
  store: ObjectStore,
  parent: BackupRecord,
  options: StoreOptions,
): Promise<void> {
  if (await store.objectExists(parent.container, metadataObjectName(parent.prefix), options)) return
  throw new BackupError(
    'CHAIN_INVALID',
    `The parent, backup ${parent.id}, was deleted while this incremental was made. Do a full backup.`,
    { backupId: parent.id },
  )
}

async function warnIfChanged(job: BackupJob, prepared: PreparedBackup, source: OpenSource): Promise<void> {
  const message = await source.changed?.()
  if (message !== undefined) job.onWarning({ code: 'SOURCE_CHANGED', message, backupId: prepared.backup.id })
}
