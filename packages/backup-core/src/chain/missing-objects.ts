import type { Chain } from './chain.js'
import { signalOptions, type ObjectStore } from '../contracts/object-store.js'
import { BackupError, isBackupError, type BackupProblem } from '../errors/backup-error.js'
import type { WarningListener } from '../contracts/progress.js'
import { controlObjectNames, listBackupObjects, type BackupListing } from '../store/objects.js'
import type { BackupRecord } from '../contracts/records.js'
import { Limiter } from '../pipeline/slots.js'
import { backupPrefixOf } from '../format/object-names.js'

/** Cinder's refusal of a backup whose objects are not those of its metadata. */
export const LIST_MISMATCH_TEXT =
  'restore_backup aborted, actual object list does not match object list stored in metadata.'

/** How many objects that a listing lacks are asked for at once. */
const ASKS_AT_ONCE = 8

/** What a check of a chain against its store needs. */
export interface ObjectCheck {
  readonly store: ObjectStore
  readonly chain: Chain
  /** Refuses extra objects too, as Cinder does. */
  readonly strict: boolean
  readonly onWarning: WarningListener
  readonly signal: AbortSignal | undefined
}

/**
 * Whether every object that the manifests name is there, without reading one. A listing may lag behind the objects
 * and is never believed against them: what it lacks is asked for. Objects beyond the manifest do no harm, and are a
 * warning; in strict mode they are `OBJECT_LIST_MISMATCH`, as in Cinder. They may also be the only sign of entries that
 * a manifest without a checksum lost.
 *
 * @returns a problem for each object that is missing
 */
export async function findMissingObjects(check: ObjectCheck): Promise<BackupProblem[]> {
  const problems: BackupProblem[] = []
  const listing = new ChainListing(
    check.store,
    check.chain.map((layer) => layer.record),
    check.signal,
  )
  for (const { record, metadata } of check.chain) {
    const { container, prefix } = record
    const wanted = new Set(metadata.objects.map((object) => object.name))
    const control = controlObjectNames(prefix)
    const listed = await listOrNothing(check, listing, record)
    const extra = [...listed.own].filter((name) => !wanted.has(name) && !control.includes(name))
    reportExtra(check, record.id, check.strict ? [...extra, ...listed.others] : extra, metadata.checksummed)
    const unlisted = [...wanted, control[1]].filter((name) => !listed.own.has(name))
    const asks = new Limiter(ASKS_AT_ONCE)
    await Promise.all(
      unlisted.map((objectName) =>
        asks.run(async () => {
          const options = signalOptions(check.signal)
          if (await check.store.objectExists(container, objectName, options)) return
          problems.push({
            code: 'OBJECT_MISSING',
            message: `${objectName} is not in container ${container}`,
            backupId: record.id,
            objectName,
          })
        }),
      ),
    )
  }
  return problems
}

/** A listing that fails keeps nobody from their data: every object is asked for instead. */
async function listOrNothing(
  check: ObjectCheck,
  listing: ChainListing,
  record: BackupRecord,
): Promise<BackupListing> {
  try {
    return await listing.of(record, check.strict)
  } catch (error) {
    if (check.strict || isBackupError(error, 'ABORTED')) throw error
    check.onWarning({
      code: 'LISTING_INCOMPLETE',
      message: `Container ${record.container} could not be listed; its objects are looked for one by one. ${error instanceof Error ? error.message : ''}`,
      backupId: record.id,
    })
    return { own: new Set(), others: [] }
  }
}

function reportExtra(
  check: ObjectCheck,
  backupId: string,
  extra: readonly string[],
  checksummed: boolean,
): void {
  const [first] = extra
  if (first === undefined) return
  const what = `${extra.length} object(s) under the prefix of backup ${backupId} are not in its metadata, ${first} for one`
  if (check.strict) {
    throw new BackupError('OBJECT_LIST_MISMATCH', `${LIST_MISMATCH_TEXT} ${what}.`, {
      backupId,
      objectName: first,
    })
  }
  check.onWarning({
    code: 'EXTRA_OBJECTS',
    message: checksummed
      ? `${what}. They do no harm here, but Cinder would refuse to restore.`
      : `${what}. Either they are left-overs, or the metadata, which has no checksum, lost entries and the restored volume lacks their data. Verify the backup in full; Cinder would refuse to restore it.`,
    backupId,
  })
}

/**
 * From so many backups in one container on, they are listed together: a directory is read whole for each listing, whatever
 * is asked for. For fewer, the other backups of the volume, which come with them, would cost more.
 */
const LISTED_TOGETHER = 8

/** Lists the objects of each backup of a chain. */
export class ChainListing {
  readonly #store: ObjectStore
  readonly #signal: AbortSignal | undefined
  readonly #together = new Map<string, BackupRecord[]>()
  readonly #listings = new Map<string, Promise<ReadonlyMap<string, Set<string>>>>()

  constructor(store: ObjectStore, records: readonly BackupRecord[], signal: AbortSignal | undefined) {
    this.#store = store
    this.#signal = signal
    for (const record of records) {
      const others = this.#together.get(record.container)
      if (others) others.push(record)
      else this.#together.set(record.container, [record])
    }
  }

  /**
   * Lists a backup's objects.
   *
   * @param alone - lists names as well that begin with the prefix and are no backup's
   */
  async of({ container, prefix }: BackupRecord, alone: boolean): Promise<BackupListing> {
    const records = this.#together.get(container) ?? []
    if (alone || records.length < LISTED_TOGETHER) {
      return listBackupObjects(this.#store, container, prefix, signalOptions(this.#signal))
    }
    let listing = this.#listings.get(container)
    if (!listing) {
      listing = this.#listTogether(container, records)
      this.#listings.set(container, listing)
    }
    return { own: (await listing).get(prefix) ?? new Set(), others: [] }
  }

  async #listTogether(
    container: string,
    records: readonly BackupRecord[],
  ): Promise<ReadonlyMap<string, Set<string>>> {
    const own = new Map(records.map(({ prefix }) => [prefix, new Set<string>()]))
    const common = records.map(({ prefix }) => prefix).reduce(commonStart)
    for await (const name of this.#store.getContainerEntries(
      container,
      common,
      signalOptions(this.#signal),
    )) {
      own.get(backupPrefixOf(name) ?? '')?.add(name)
    }
    return own
  }
}

function commonStart(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length += 1
  return a.slice(0, length)
}
