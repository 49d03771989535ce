import type { BackupLookup } from '../catalog/backup-lookup.js'
import type { ObjectOptions, ObjectStore, ReplayableBody, StoreOptions } from '../contracts/object-store.js'
import type { BackupRequest } from '../contracts/requests.js'
import type { DriverSettings } from '../settings/settings.js'
import type { NewBackup } from '../contracts/records.js'
import { BackupError, isBackupError } from '../errors/backup-error.js'
import {
  assertContainerName,
  assertObjectName,
  isBackupObjectName,
  sha256fileObjectName,
} from '../format/object-names.js'
import { refuseShrunk } from './check-size.js'
import { claimPrefix, claimReleaseOptions, type Claim } from './claim.js'
import { prepareBackup, type BackupMeans, type PreparedBackup } from './prepare.js'
import { ZeroForms, type ObjectSink } from './store-run.js'
import { writeObject } from '../store/objects.js'

/** Where a backup's objects go, under which names: all that the store has to be asked before it is given anything. */
export interface Destination {
  readonly prepared: PreparedBackup
  readonly sink: ObjectSink
  readonly prefix: string
  /** Held until the backup is committed or cleaned up; null for an id that no other run can have. */
  readonly claim: Claim | null
  /** Whether the container has yet to be found by the search that a delete of the parent makes. */
  readonly mustBeFound: boolean
}

/** Checks a request, chooses names, makes the container and claims the prefix. */
export async function openDestination(
  means: BackupMeans,
  request: BackupRequest,
  sizeBytes: number | undefined,
  options: StoreOptions,
): Promise<Destination> {
  const { store, settings } = means
  const lookup = means.openLookup()
  const prepared = await prepareBackup(means, lookup, request, options)
  refuseShrunk(request, prepared.parent?.record, sizeBytes)
  refuseGrowth(settings, prepared, sizeBytes ?? 0)
  const { container, prefix } = chooseNames(store, settings, prepared.backup)
  const mustBeFound = await assertSearchable(store, lookup, prepared, container)
  await store.putContainer(container, options)
  const { backup, idGiven } = prepared
  const claim = idGiven ? await claimPrefix(store, { backup, container, prefix }, options) : null
  try {
    await assertPrefixUnused(store, backup, { container, prefix }, options)
    const extraMetadata = await store.getExtraMetadata(backup)
    const { compression } = settings
    const written = new WrittenObjects(store, container)
    const sink = { store, container, written, compression, zeroForms: new ZeroForms(), extraMetadata }
    return { prepared, prefix, sink, claim, mustBeFound }
  } catch (error) {
    await claim?.release(claimReleaseOptions()).catch(() => undefined)
    throw error
  }
}

/** Where the backup's objects go, and what their names begin with. */
function chooseNames(
  store: ObjectStore,
  settings: DriverSettings,
  backup: NewBackup,
): { container: string; prefix: string } {
  const container =
    store.updateContainerName(backup, backup.container) ?? backup.container ?? settings.container
  if (container === null) {
    throw new BackupError('OPTION_INVALID', 'No container was named, and the driver has none of its own.')
  }
  assertContainerName(container)
  const prefix = store.generateObjectNamePrefix(backup)
  // The longest name of a backup's objects: numbers of chunks are shorter.
  assertObjectName(sha256fileObjectName(prefix), store.capabilities.maxObjectNameBytes)
  return { container, prefix }
}

/** Refuses a prefix under which an object exists. */
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
      `The container ${container} has ${name} already, under the prefix of the new backup.`,
      { backupId: backup.id, container, objectName: name },
    )
  }
}

/**
 * A delete of the parent looks for incrementals in the parent's container, and in those that the driver lists. Refuses an
 * incremental that it would not find.
 *
 * @returns whether that is certain only once the container holds objects
 */
async function assertSearchable(
  store: ObjectStore,
  lookup: BackupLookup,
  { parent }: PreparedBackup,
  container: string,
): Promise<boolean> {
  if (!parent || parent.record.container === container) return false
  if (!store.capabilities.containerListing) throw notSearchable(parent.record.container, container)
  if ((await lookup.searches(parent.record.container)) === false) {
    throw notSearchable(parent.record.container, container)
  }
  return (await lookup.searches(container)) === false
}

/** The error for an incremental that a delete of its parent would not find. */
export function notSearchable(parentContainer: string, container: string): BackupError {
  return new BackupError(
    'OPTION_INVALID',
    `Cannot put an incremental into the container ${container} while its parent is in ${parentContainer}: ` +
      'this driver does not search both, so that a delete of the parent would not find the incremental. ' +
      `Leave the container out, name ${parentContainer}, or use a driver that lists all containers.`,
    { container },
  )
}

/** Cinder refuses an incremental of a volume that grew; here it is one more change. */
export function refuseGrowth(settings: DriverSettings, { parent }: PreparedBackup, sizeBytes: number): void {
  if (!settings.strict || !parent || sizeBytes <= parent.record.sizeBytes) return
  throw new BackupError('VOLUME_GREW', 'Volume size increased since the last backup. Do a full backup.', {
    backupId: parent.record.id,
  })
}

/**
 * Writes the objects of one backup run, and knows which of them that run may have created: a clean-up removes those, and
 * nothing else. No object is replaced where the store can create exclusively.
 */
export class WrittenObjects {
  readonly #store: ObjectStore
  readonly #container: string
  readonly #names = new Set<string>()

  constructor(store: ObjectStore, container: string) {
    this.#store = store
    this.#container = container
  }

  /** Names of objects that exist because of this run, or may: an answer that was lost may have been a success. */
  get names(): ReadonlySet<string> {
    return this.#names
  }

  /** @throws `CONFLICT` where the object exists already: it is another run's, and not in {@link names} */
  async write(objectName: string, body: ReplayableBody, options: ObjectOptions): Promise<void> {
    const exclusive = this.#store.capabilities.exclusiveCreate === true
    this.#names.add(objectName)
    try {
      const writerOptions = exclusive ? { ...options, exclusive } : options
      await writeObject(this.#store, this.#container, objectName, body, writerOptions)
    } catch (error) {
      if (isBackupError(error, 'CONFLICT')) this.#names.delete(objectName)
      throw error
    }
  }
}
