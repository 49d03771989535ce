import type { BackupCatalog, BackupRecord, BackupResult, StoredSizes } from '../contracts/records.js'
import type { Compressor } from '../contracts/compressor.js'
import { isCinderCompatible } from '../compression/compressors.js'
import { signalOptions, type StoreOptions } from '../contracts/object-store.js'
import { MAX_BLOCK_SIZE_BYTES } from '../settings/settings.js'
import type { BackupRequest } from '../contracts/requests.js'
import { BackupError, throwIfAborted } from '../errors/backup-error.js'
import { messageOf } from '../errors/error-mapper.js'
import { HashList } from '../format/hash-list.js'
import { startHashWorkers } from '../hash/hash-pool.js'
import { planChunks, type CompressorInput } from '../pipeline/memory-plan.js'
import { concurrencyFor } from '../pipeline/slots.js'
import { ProgressMeter } from '../pipeline/progress-meter.js'
import type { OperationOptions } from '../contracts/progress.js'
import { closeQuietly, openCheckedSource } from '../volume/checked-volume.js'
import type { OpenSource, VolumeSource } from '../contracts/volume.js'
import { assertNotEmpty, assertNotShrunk, shrinkWarning } from './check-size.js'
import { claimReleaseOptions } from './claim.js'
import { cleanUp, type CleanUpDeps } from './clean-up.js'
import { commit } from './commit.js'
import { openDestination, assertNotGrown, type Destination } from './destination.js'
import { resolveSizes, type BackupDeps, type Parent, type PreparedBackup } from './prepare.js'
import { storeChunks, type VolumeJob } from './store-chunks.js'
import { openHints } from './volume-chunks.js'

/** The dependencies of a backup, beside its request. */
export interface BackupJob extends BackupDeps, CleanUpDeps {
  readonly catalog: BackupCatalog
}

/**
 * Makes a backup: full, or incremental where the request has a parent. The backup exists once its `_metadata` is written; a
 * failure before that removes what was written.
 */
export async function runBackup(
  job: BackupJob,
  request: BackupRequest,
  source: VolumeSource,
  options: OperationOptions,
): Promise<BackupResult> {
  const storeOptions: StoreOptions = signalOptions(options.signal)
  throwIfAborted(options.signal, 'The backup')
  // Opened first, so that a stream is closed whichever check fails.
  const open = await openCheckedSource(source, storeOptions)
  try {
    assertNotEmpty(request, open.sizeBytes)
    startHashWorkers(open.sizeBytes)
    const meter = new ProgressMeter('backup', open.sizeBytes, options.onProgress)
    warnIfNotCinderCompression(job)
    const { destination, chunks } = await storeVolume(job, request, open, meter, options.signal)
    const storedDataBytes = meter.transferredBytes
    let record: BackupRecord & StoredSizes
    try {
      // The size of a stream is known now.
      const { sizeBytes } = chunks.totals
      assertNotEmpty(request, sizeBytes)
      assertNotShrunk(request, destination.prepared.parent?.record, sizeBytes)
      assertNotGrown(job.settings, destination.prepared, sizeBytes)
      await warnIfChanged(job, destination.prepared, open, sizeBytes)
      const stored = { ...chunks, ...chunks.totals, storedDataBytes, meter }
      record = await commit(job.openLookup, destination, stored, storeOptions)
    } catch (error) {
      throw await cleanUp(job, destination, error)
    }
    await releaseClaim(job, destination)
    await addToCatalog(job.catalog, record)
    meter.finish()
    return { ...record, storedBytes: meter.transferredBytes }
  } finally {
    await closeQuietly(open)
  }
}

/**
 * Stores the volume's chunks. A full backup reads and hashes its first chunks without waiting for the store; an incremental
 * needs its parent's hashes before it begins.
 */
async function storeVolume(
  job: BackupJob,
  request: BackupRequest,
  open: OpenSource,
  meter: ProgressMeter,
  callerSignal: AbortSignal | undefined,
): Promise<{ destination: Destination; chunks: VolumeJob }> {
  // The first failure ends both the requests to the store and the reading, and is reported.
  const abortBoth = new AbortController()
  const signal = callerSignal ? AbortSignal.any([callerSignal, abortBoth.signal]) : abortBoth.signal
  const isFull = request.incremental !== true && (request.parent ?? null) === null
  // A full backup needs the configured sizes only, so that it begins before the destination is ready.
  const fullBackupSizes = isFull ? { parent: null, ...resolveSizes(job.settings, null) } : undefined
  if (!isFull) meter.begin('read-parent')
  const openingDestination = openDestination(job, request, open.sizeBytes, { signal })
  openingDestination.catch((error: unknown) => {
    abortBoth.abort(error)
  })
  const { parent, chunkSizeBytes, blockSizeBytes } = fullBackupSizes ?? (await openingDestination).prepared
  const chunks: VolumeJob = {
    destination: openingDestination,
    plan: planChunks({
      chunkSizeBytes,
      blockSizeBytes,
      volumeSizeBytes: open.sizeBytes,
      incremental: parent !== null,
      compressorInput: compressorInputOf(job.settings.compression),
      canSendWhileRead: canSendWhileRead(job, open),
      concurrency: concurrencyFor(job.settings.concurrency, chunkSizeBytes),
      maxMemoryBytes: job.settings.maxMemoryBytes,
    }),
    smallConcurrency: job.settings.concurrency.smallObjects,
    blockSizeBytes,
    incremental: parent !== null,
    joinGapBytes: job.settings.joinGapBytes,
    // The parent's list is overwritten in place, and becomes the volume's.
    hashes: parent?.blocks.hashes ?? new HashList(),
    objects: [],
    totals: { sizeBytes: 0 },
  }
  try {
    if (parent) assertBlocksFit(parent, blockSizeBytes, open.sizeBytes, job.settings.maxMemoryBytes)
    await using hints = await openHints(open, parent, blockSizeBytes, signal)
    await storeChunks(chunks, open, hints, meter, signal)
    return { destination: await openingDestination, chunks }
  } catch (error) {
    const failedEarlier = abortBoth.signal.aborted && callerSignal?.aborted !== true
    const failure: unknown = failedEarlier ? abortBoth.signal.reason : error
    abortBoth.abort(failure)
    const destination = await openingDestination.catch(() => undefined)
    throw destination ? await cleanUp(job, destination, failure) : failure
  }
}

/** Checks a parent's block size, which was read from the store, before memory is allocated by it. */
function assertBlocksFit(
  { record }: Parent,
  blockSizeBytes: number,
  volumeSizeBytes: number | undefined,
  maxMemoryBytes: number,
): void {
  if (blockSizeBytes <= MAX_BLOCK_SIZE_BYTES) return
  const neededBytes = 3 * Math.min(blockSizeBytes, volumeSizeBytes ?? Infinity)
  if (neededBytes <= maxMemoryBytes) return
  throw new BackupError(
    'MEMORY_LIMIT',
    `Cannot make an incremental on backup ${record.id}: it has blocks of ${blockSizeBytes} bytes, of which three must fit into memory, and \`maxMemoryBytes\` is ${maxMemoryBytes}. Make a full backup with a smaller block size.`,
    { backupId: record.id },
  )
}

function compressorInputOf(compressor: Compressor | null): CompressorInput | null {
  if (compressor === null) return null
  return compressor.compressParts === undefined ? 'one' : 'parts'
}

/** Whether the source can be read again, and the store accepts streams. */
function canSendWhileRead({ store }: BackupJob, { seekable, sizeBytes }: OpenSource): boolean {
  const { streamingWrites = false, streamingBodies = false } = store.capabilities
  return seekable && sizeBytes !== undefined && (streamingWrites || streamingBodies)
}

/** Enters a committed backup into the catalog: from here on neither an abort nor an error undoes it. */
async function addToCatalog(catalog: BackupCatalog, record: BackupRecord): Promise<void> {
  try {
    await catalog.put(record)
  } catch (cause) {
    throw new BackupError(
      'STORE_FAILED',
      `Backup ${record.id} is complete, but could not be entered into the catalog: ${messageOf(cause)}. Export its record, and import it when the catalog is available.`,
      { backupId: record.id, cause },
    )
  }
}

/** Releases the claim. One that cannot be removed does not affect the backup: it causes a warning, no failure. */
async function releaseClaim(job: BackupJob, { claim, prepared, sink }: Destination): Promise<void> {
  try {
    await claim?.release(claimReleaseOptions())
  } catch (error) {
    job.onWarning({
      code: 'CLAIM_LEFT',
      message:
        `Backup ${prepared.backup.id} is complete, but its claim ${claim?.objectName ?? ''} could not be ` +
        `deleted from ${sink.container}: ${messageOf(error)} ` +
        '`removeOrphans` removes it once it is a day old.',
      backupId: prepared.backup.id,
    })
  }
}

function warnIfNotCinderCompression({ settings: { compression }, onWarning }: BackupJob): void {
  if (!compression || isCinderCompatible(compression)) return
  onWarning({
    code: 'COMPRESSION_NOT_CINDER',
    message: `The compression ${compression.name} is not one of Cinder's: Cinder cannot restore this backup, only Stowage with the same compressor.`,
  })
}

async function warnIfChanged(
  job: BackupJob,
  { backup, parent }: PreparedBackup,
  source: OpenSource,
  sizeBytes: number,
): Promise<void> {
  const shrunk = shrinkWarning(backup.id, parent?.record, sizeBytes)
  if (shrunk) job.onWarning(shrunk)
  const message = await source.changed?.()
  if (message !== undefined) job.onWarning({ code: 'SOURCE_CHANGED', message, backupId: backup.id })
}
