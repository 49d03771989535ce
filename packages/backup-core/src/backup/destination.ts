import { claimPrefix, claimReleaseOptions, type Claim } from '../commit/claim.js'
import { assertContainerIsSearched, chooseLocation } from '../commit/location.js'
import { BackupObjectWriter } from '../commit/object-writer.js'
import type { ObjectStore, StoreOptions } from '../contracts/object-store.js'
import type { BackupRequest } from '../contracts/requests.js'
import type { DriverSettings } from '../settings/settings.js'
import type { NewBackup } from '../contracts/records.js'
import { BackupError } from '../errors/backup-error.js'
import { isBackupObjectName } from '../format/object-names.js'
import { assertNotShrunk } from './check-size.js'
import { prepareBackup, type PrepareDeps, type PreparedBackup } from './prepare.js'
import type { ObjectSink } from './object-sink.js'
import { CompressedZerosCache } from './compressed-zeros.js'

/** The container, the names and the claim of a backup. */
export interface Destination {
  readonly prepared: PreparedBackup
  readonly sink: ObjectSink
  readonly prefix: string
  /**
   * Resolves when no other run can write under the prefix; the sink's writer completes no object before. The claim is held
   * until the backup is committed or cleaned up; null for a generated id, which no other run has.
   */
  readonly claim: Promise<Claim | null>
  /**
   * The driver lists the container only once it has objects: the commit then checks that a delete of the parent would find
   * this backup in it.
   */
  readonly containerListedLater: boolean
}

/**
 * Checks a request, chooses names, creates the container and begins to claim the prefix: a store without locks takes a
 * second or more for that, in which the volume is read, and the first objects are sent.
 */
export async function openDestination(
  deps: PrepareDeps,
  request: BackupRequest,
  sizeBytes: number | undefined,
  options: StoreOptions,
): Promise<Destination> {
  const { store, settings } = deps
  const lookup = deps.openLookup()
  const prepared = await prepareBackup(deps, lookup, request, options)
  assertNotShrunk(request, prepared.parent?.record, sizeBytes)
  assertNotGrown(settings, prepared, sizeBytes ?? 0)
  const { container, prefix } = chooseLocation(store, settings, prepared.backup)
  const containerListedLater = await assertContainerIsSearched(
    store,
    lookup,
    prepared.parent?.record ?? null,
    container,
  )
  await store.putContainer(container, options)
  const extraMetadata = await store.getExtraMetadata(prepared.backup)
  const location = { container, prefix }
  const claim = prepared.idGiven ? claimUnusedPrefix(store, prepared.backup, location, options) : null
  if (claim === null) await assertPrefixUnused(store, prepared.backup, location, options)
  const claimed = Promise.resolve(claim)
  // The writer and the backup await it, possibly after it has failed.
  claimed.catch(() => undefined)
  const sink = {
    store,
    container,
    writer: new BackupObjectWriter(store, container, claimed),
    compression: settings.compression,
    zerosCompression: settings.zerosCompression,
    compressedZeros: new CompressedZerosCache(),
    extraMetadata,
  }
  return { prepared, prefix, sink, claim: claimed, containerListedLater }
}

/** Claims the prefix, and then checks that nothing is stored under it. */
async function claimUnusedPrefix(
  store: ObjectStore,
  backup: NewBackup,
  location: { readonly container: string; readonly prefix: string },
  options: StoreOptions,
): Promise<Claim> {
  const claim = await claimPrefix(store, { backup, ...location }, options)
  try {
    await assertPrefixUnused(store, backup, location, options)
    return claim
  } catch (error) {
    await claim.release(claimReleaseOptions()).catch(() => undefined)
    throw error
  }
}

/** Rejects a prefix under which an object exists. */
async function assertPrefixUnused(
  store: ObjectStore,
  backup: NewBackup,
  { container, prefix }: { readonly container: string; readonly prefix: string },
  options: StoreOptions,
): Promise<void> {
  for await (const name of store.getContainerEntries(container, prefix, options)) {
    // Another backup's id may begin with this one's.
    if (!isBackupObjectName(prefix, name)) continue
    throw new BackupError(
      'CONFLICT',
      `Cannot write backup ${backup.id}: object ${name}, under its prefix, already exists in container ${container}. Choose another id.`,
      { backupId: backup.id, container, objectName: name },
    )
  }
}

/** Rejects an incremental of a volume that grew, in strict mode, as Cinder does. Otherwise the growth is a change. */
export function assertNotGrown(
  settings: DriverSettings,
  { parent }: PreparedBackup,
  sizeBytes: number,
): void {
  if (!settings.strict || !parent || sizeBytes <= parent.record.sizeBytes) return
  throw new BackupError('VOLUME_GREW', 'Volume size increased since the last backup. Do a full backup.', {
    backupId: parent.record.id,
  })
}
