import type { BackupWarning } from '../contracts/progress.js'
import type { BackupRecord } from '../contracts/records.js'
import { BackupError, isBackupError, type BackupProblem } from '../errors/backup-error.js'
import { parseObjectName } from '../format/object-names.js'
import { controlObjectNames, type BackupListing, type StoreAccess } from '../store/access.js'
import type { ChainContext } from './chain.js'
import { mapConcurrently } from '../pipeline/map-concurrently.js'

/** Cinder's refusal of a backup whose objects are not those of its metadata. */
const LIST_MISMATCH_TEXT =
  'restore_backup aborted, actual object list does not match object list stored in metadata.'

/**
 * From so many backups in one container on, they are listed together: some stores read a whole directory for each listing.
 * For fewer, the listing of their common prefix, which has other backups of the volume too, would cost more.
 */
const MIN_LISTED_TOGETHER = 8

/** How the objects in the store differ from those that the manifests of a chain name. */
export interface ListingFindings {
  /** One for each missing object. */
  readonly missing: readonly BackupProblem[]
  /** The warnings that were given of objects that no manifest names. */
  readonly extra: readonly BackupWarning[]
}

/** The names of a container's backups, by their prefixes. */
type NamesByPrefix = ReadonlyMap<string, Set<string>>

/**
 * Checks that every object that the manifests name is in the store, without reading one. A listing may lag behind the
 * objects: what it lacks is checked one by one. Objects beyond the manifest are a warning, and `OBJECT_LIST_MISMATCH` in
 * strict mode, as in Cinder; they may also be the only sign of entries that a manifest without a checksum lost.
 */
export async function compareWithListing(check: ChainContext): Promise<ListingFindings> {
  const { access, chain, strict } = check
  const missing: BackupProblem[] = []
  const extra: BackupWarning[] = []
  const sharedListings = new Map<string, Promise<NamesByPrefix>>()
  for (const { record, manifest } of chain) {
    const { container, prefix } = record
    const expected = new Set(manifest.objects.map((object) => object.name))
    const control = controlObjectNames(prefix)
    const { own, others } = await listOrNothing(check, record, sharedListings)
    const unnamed = [...own].filter((name) => !expected.has(name) && !control.includes(name))
    const warning = warnOfExtra(
      check,
      record.id,
      strict ? [...unnamed, ...others] : unnamed,
      manifest.checksummed,
    )
    if (warning) extra.push(warning)
    const unlisted = [...expected, control[1]].filter((name) => !own.has(name))
    const checkObject = async (objectName: string): Promise<void> => {
      if (await access.exists(container, objectName)) return
      const message = `${objectName} is not in container ${container}`
      missing.push({ code: 'OBJECT_MISSING', message, backupId: record.id, objectName })
    }
    await mapConcurrently(unlisted, checkObject)
  }
  return { missing, extra }
}

/** Lists a backup's objects; nothing, with a warning, where that fails: every object is checked by itself then. */
async function listOrNothing(
  check: ChainContext,
  record: BackupRecord,
  sharedListings: Map<string, Promise<NamesByPrefix>>,
): Promise<BackupListing> {
  const { container, prefix, id } = record
  const records = check.chain.map((layer) => layer.record).filter((other) => other.container === container)
  try {
    // Cinder also lists names that begin with the prefix but are not of a backup.
    if (check.strict || records.length < MIN_LISTED_TOGETHER) return await check.access.list(record)
    const listing = sharedListings.get(container) ?? listTogether(check.access, container, records)
    sharedListings.set(container, listing)
    return { own: (await listing).get(prefix) ?? new Set(), others: [] }
  } catch (error) {
    if (check.strict || isBackupError(error, 'ABORTED')) throw error
    const reason = error instanceof Error ? error.message : ''
    const message = `Container ${container} cannot be listed; the objects of backup ${id} are checked one by one. ${reason}`
    check.onWarning({ code: 'LISTING_INCOMPLETE', message, backupId: id })
    return { own: new Set(), others: [] }
  }
}

async function listTogether(
  access: StoreAccess,
  container: string,
  records: readonly BackupRecord[],
): Promise<NamesByPrefix> {
  const own = new Map(records.map(({ prefix }) => [prefix, new Set<string>()]))
  const common = [...own.keys()].reduce(commonStart)
  for await (const name of access.names(container, common)) {
    own.get(parseObjectName(name)?.prefix ?? '')?.add(name)
  }
  return own
}

function commonStart(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length += 1
  return a.slice(0, length)
}

function warnOfExtra(
  check: ChainContext,
  backupId: string,
  extra: readonly string[],
  checksummed: boolean,
): BackupWarning | undefined {
  const [objectName] = extra
  if (objectName === undefined) return undefined
  const what = `${extra.length} object(s) with the prefix of backup ${backupId} are not in its metadata, such as ${objectName}`
  if (check.strict)
    throw new BackupError('OBJECT_LIST_MISMATCH', `${LIST_MISMATCH_TEXT} ${what}.`, { backupId, objectName })
  const advice = checksummed
    ? 'Stowage restores the backup without them, but Cinder would refuse to restore it.'
    : 'They may be left over, or the metadata, which has no checksum, lost entries and the restored volume lacks their data. Verify the backup with level `full`; Cinder would refuse to restore it.'
  const warning: BackupWarning = { code: 'EXTRA_OBJECTS', message: `${what}. ${advice}`, backupId }
  check.onWarning(warning)
  return warning
}
