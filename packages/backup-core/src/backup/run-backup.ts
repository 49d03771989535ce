import type { BackupCatalog, BackupRecord, BackupResult, StoredSizes } from '../contracts/records.js'
import type { Compressor } from '../contracts/compressor.js'
import { claimReleaseOptions } from '../commit/claim.js'
import type { CleanUpDeps } from '../commit/uncommit.js'
import { isCinderCompatible } from '../compression/compressors.js'
import { signalOptions, type ObjectStore, type StoreOptions } from '../contracts/object-store.js'
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
import { cleanUp } from './clean-up.js'
import { commit } from './commit.js'
import { openDestination, assertNotGrown, type Destination } from './destination.js'
import {
  resolveSizes,
  type BackupSizes,
  type Parent,
  type PrepareDeps,
  type PreparedBackup,
} from './prepare.js'
import { storeChunks, type VolumeJob } from './store-chunks.js'
import { openHints } from './volume-chunks.js'

/** The dependencies of a backup, beside its request. */
export interface BackupDeps extends PrepareDeps, CleanUpDeps {
  readonly catalog: BackupCatalog
}

/**
 * Makes a backup: full, or incremental where the request has a parent. The backup exists once its `_metadata` is written; a
 * failure before that removes what was written.
 */
export async function runBackup(
  deps: BackupDeps,
  request: BackupRequest,
  volumeSource: VolumeSource,
  options: OperationOptions,
): Promise<BackupResult> {
  const storeOptions: StoreOptions = signalOptions(options.signal)
  // Opened before every check but that of the arguments, so that a stream is closed whichever of them fails.
  const source = await openCheckedSource(volumeSource, storeOptions)
  try {
    throwIfAborted(options.signal, 'The backup')
    assertNotEmpty(request, source.sizeBytes)
    startHashWorkers(source.sizeBytes)
    const meter = new ProgressMeter('backup', source.sizeBytes, options.onProgress)
    warnIfNotCinderCompression(deps)
    const { destination, job } = await storeVolume(deps, request, source, meter, options.signal)
    let record: BackupRecord & StoredSizes
    try {
      // The size of a stream is known now.
      const { sizeBytes } = job.totals
      assertNotEmpty(request, sizeBytes)
      assertNotShrunk(request, destination.prepared.parent?.record, sizeBytes)
      assertNotGrown(deps.settings, destination.prepared, sizeBytes)
      await warnIfChanged(deps, destination.prepared, source, sizeBytes)
      record = await commit(deps.openLookup, destination, { ...job, ...job.totals, meter }, storeOptions)
    } catch (error) {
      throw await cleanUp(deps, destination, error)
    }
    await releaseClaim(deps, destination)
    await addToCatalog(deps.catalog, record)
    meter.finish()
    return { ...record, storedBytes: meter.transferredBytes }
  } finally {
    await closeQuietly(source)
  }
}

/**
 * Stores the volume's chunks. A full backup needs nothing from the store to begin: it reads and hashes its first chunks while
 * the destination is opened. An incremental needs its parent's block hashes, and waits for the destination.
 */
async function storeVolume(
  deps: BackupDeps,
  request: BackupRequest,
  source: OpenSource,
  meter: ProgressMeter,
  callerSignal: AbortSignal | undefined,
): Promise<{ destination: Destination; job: VolumeJob }> {
  // The first failure ends both the requests to the store and the reading, and is reported.
  const abortBoth = new AbortController()
  const signal = callerSignal ? AbortSignal.any([callerSignal, abortBoth.signal]) : abortBoth.signal
  const isFull = request.incremental !== true && (request.parent ?? null) === null
  const fullBackup = isFull ? { parent: null, ...resolveSizes(deps.settings, null) } : undefined
  if (!isFull) meter.begin('read-parent')
  const openingDestination = openDestination(deps, request, source.sizeBytes, { signal })
  openingDestination
    .then(({ claim }) => claim)
    .catch((error: unknown) => {
      abortBoth.abort(error)
    })
  const { parent, ...sizes } = fullBackup ?? (await openingDestination).prepared
  const job = volumeJob(deps, source, openingDestination, parent, sizes)
  try {
    if (parent) assertBlocksFit(parent, job.blockSizeBytes, source.sizeBytes, deps.settings.maxMemoryBytes)
    await using hints = await openHints(source, parent, job.blockSizeBytes, signal)
    await storeChunks(job, source, hints, meter, signal)
    const destination = await openingDestination
    // A backup without objects has not waited for it yet.
    await destination.claim
    return { destination, job }
  } catch (error) {
    const failedEarlier = abortBoth.signal.aborted && callerSignal?.aborted !== true
    const failure: unknown = failedEarlier ? abortBoth.signal.reason : error
    abortBoth.abort(failure)
    const destination = await openingDestination.catch(() => undefined)
    throw destination ? await cleanUp(deps, destination, failure) : failure
  }
}

function volumeJob(
  { store, settings }: BackupDeps,
  source: OpenSource,
  destination: Promise<Destination>,
  parent: Parent | null,
  { chunkSizeBytes, blockSizeBytes }: BackupSizes,
): VolumeJob {
  return {
    destination,
    plan: planChunks({
      chunkSizeBytes,
      blockSizeBytes,
      volumeSizeBytes: source.sizeBytes,
      incremental: parent !== null,
      compressorInput: compressorInputOf(settings.compression),
      canStream: canStream(store, source),
      concurrency: concurrencyFor(settings.concurrency, chunkSizeBytes),
      streamedConcurrency: settings.concurrency.streamedChunks,
      maxMemoryBytes: settings.maxMemoryBytes,
    }),
    smallConcurrency: settings.concurrency.smallObjects,
    blockSizeBytes,
    incremental: parent !== null,
    joinGapBytes: settings.joinGapBytes,
    // The parent's list is overwritten in place, and becomes the volume's.
    hashes: parent?.sha256file.hashes ?? new HashList(),
    objects: [],
    totals: { sizeBytes: 0, storedDataBytes: 0 },
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
function canStream(store: ObjectStore, { seekable, sizeBytes }: OpenSource): boolean {
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
async function releaseClaim(
  deps: BackupDeps,
  { prepared, sink, ...destination }: Destination,
): Promise<void> {
  const claim = await destination.claim
  try {
    await claim?.release(claimReleaseOptions())
  } catch (error) {
    deps.onWarning({
      code: 'CLAIM_LEFT',
      message:
        `Backup ${prepared.backup.id} is complete, but its claim ${claim?.objectName ?? ''} could not be ` +
        `deleted from ${sink.container}: ${messageOf(error)} ` +
        '`removeOrphans` removes it once it is a day old.',
      backupId: prepared.backup.id,
    })
  }
}

function warnIfNotCinderCompression({ settings: { compression }, onWarning }: BackupDeps): void {
  if (!compression || isCinderCompatible(compression)) return
  onWarning({
    code: 'COMPRESSION_NOT_CINDER',
    message: `The compression ${compression.name} is not one of Cinder's: Cinder cannot restore this backup, only Stowage with the same compressor.`,
  })
}

async function warnIfChanged(
  { onWarning }: BackupDeps,
  { backup, parent }: PreparedBackup,
  source: OpenSource,
  sizeBytes: number,
): Promise<void> {
  const shrunk = shrinkWarning(backup.id, parent?.record, sizeBytes)
  if (shrunk) onWarning(shrunk)
  const message = await source.changeWarning?.()
  if (message !== undefined) onWarning({ code: 'SOURCE_CHANGED', message, backupId: backup.id })
}
