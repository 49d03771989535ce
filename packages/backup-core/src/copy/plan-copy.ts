import type { BackupLookup } from '../catalog/backup-lookup.js'
import { assertValidChain, readManifest, type Chain, type ChainLayer } from '../chain/chain.js'
import { compareWithListing } from '../chain/missing-objects.js'
import { beingDeleted } from '../commit/commit-checks.js'
import { chooseLocation } from '../commit/location.js'
import { CINDER_COMPRESSIONS } from '../compression/compressors.js'
import type { StoreOptions } from '../contracts/object-store.js'
import type { BackupRecord, NewBackup } from '../contracts/records.js'
import { BackupError } from '../errors/backup-error.js'
import { haveSameLayout, startSecondOf } from '../format/backup-prefix.js'
import { compressionsOf } from '../format/manifest.js'
import { parseCreatedAt, parsePrefixTimestamp } from '../format/timestamps.js'
import { StoreAccess } from '../store/access.js'
import type { CopyDeps, MissingBackup, PresentBackup } from './copy-job.js'
import { assertSameBackup } from './same-backup.js'

/**
 * Finds out which backups of a chain the destination lacks, and chooses their names there. Reads all manifests of the source,
 * and writes nothing.
 *
 * @param records - the chain in the source, newest first
 * @param container - the requested one
 * @returns the backups, oldest first
 */
export async function planCopy(
  deps: CopyDeps,
  records: readonly BackupRecord[],
  container: string | null,
  options: StoreOptions,
): Promise<readonly (MissingBackup | PresentBackup)[]> {
  const source = new StoreAccess(deps.source, options)
  const layers: ChainLayer[] = []
  for (const record of records) layers.push({ record, manifest: await readManifest(source, record) })
  const lookup = deps.openLookup(options)
  const plan: (MissingBackup | PresentBackup)[] = []
  for (const [index, layer] of layers.entries()) {
    const chain: Chain = [layer, ...layers.slice(index + 1)]
    if (index === 0) assertValidChain(chain)
    const present = await findPresent(deps, lookup, layer, options)
    plan.push(present ? { present } : missingBackup(deps, chain, container))
  }
  return plan.reverse()
}

/** Returns the record of a backup that the destination has, with all of its objects. */
async function findPresent(
  { store, onWarning }: CopyDeps,
  lookup: BackupLookup,
  layer: ChainLayer,
  options: StoreOptions,
): Promise<BackupRecord | undefined> {
  const { id } = layer.record
  const found = await lookup.find(id)
  if (!found) {
    // A delete may be rolled back: the destination would then have two backups with one id.
    if ((await lookup.findMarkers(id)).length > 0) throw beingDeleted(id)
    return undefined
  }
  assertSameBackup(layer, found)
  const access = new StoreAccess(store, options)
  const { missing } = await compareWithListing({ access, chain: [found], strict: false, onWarning })
  const [first] = missing
  if (!first) return found.record
  throw new BackupError(
    'OBJECT_MISSING',
    `Cannot copy backup ${id}: the destination has it, but without ${missing.length} of its objects, such as ${first.objectName ?? ''}. ` +
      'Delete it there, and copy it again.',
    { backupId: id, container: found.record.container, problems: missing },
  )
}

function missingBackup(deps: CopyDeps, chain: Chain, container: string | null): MissingBackup {
  const { store, settings } = deps
  const [layer] = chain
  const { record, manifest } = layer
  const other = compressionsOf(manifest.objects).find(
    (name) => name !== 'none' && !CINDER_COMPRESSIONS.includes(name),
  )
  if (settings.strict && other !== undefined) {
    throw new BackupError(
      'OPTION_INVALID',
      `Cannot copy backup ${record.id}: its compression ${other} is one that Cinder cannot restore, and \`strict\` of the destination is 'cinder'. Leave \`strict\` out.`,
      { backupId: record.id },
    )
  }
  const backup: NewBackup = {
    id: record.id,
    volumeId: manifest.volumeId,
    parentId: manifest.parentId,
    container,
    name: manifest.backupName,
    description: manifest.backupDescription,
    createdAt: startOf(layer),
  }
  const generated = store.generateObjectNamePrefix(backup)
  const prefix = haveSameLayout(record.prefix, generated, record.id) ? record.prefix : generated
  return { layer, chain, backup, location: chooseLocation(store, settings, backup, prefix) }
}

/** Cinder chooses the time of a prefix a moment after `created_at`: a backup that is copied back gets its old names. */
function startOf({ record, manifest }: ChainLayer): Date {
  const second = startSecondOf(record.prefix, manifest.volumeId)
  const ofPrefix = second === undefined ? null : parsePrefixTimestamp(second)
  const start = ofPrefix ?? parseCreatedAt(manifest.createdAt)
  if (!start) {
    throw new BackupError(
      'METADATA_INVALID',
      `Cannot copy backup ${record.id}: names in the destination have the time of the backup, and its \`created_at\`, ${JSON.stringify(manifest.createdAt)}, is not a time.`,
      { backupId: record.id },
    )
  }
  start.setUTCMilliseconds(0)
  return start
}
