import type { StoreOptions } from '../driver/object-io.js'
import type { BackupRequest } from '../driver/requests.js'
import type { DriverSettings } from '../driver/settings.js'
import { BackupError } from '../errors/backup-error.js'
import { chooseNames, prepareBackup, type BackupMeans, type PreparedBackup } from './prepare.js'
import type { ObjectSink } from './store-run.js'
import { ZeroForms } from './zero-forms.js'

/** Where a backup's objects go, under which names: all that the store has to be asked before it is given anything. */
export interface Destination {
  readonly prepared: PreparedBackup
  readonly sink: ObjectSink
  readonly prefix: string
}

/** Checks a request, chooses names and makes the container. */
export async function openDestination(
  means: BackupMeans,
  request: BackupRequest,
  sizeBytes: number | undefined,
  options: StoreOptions,
): Promise<Destination> {
  const { store, settings } = means
  const prepared = await prepareBackup(means, request, options)
  refuseGrowth(settings, prepared, sizeBytes ?? 0)
  const { container, prefix } = await chooseNames(store, settings, prepared.backup, options)
  await store.putContainer(container, options)
  const extraMetadata = await store.getExtraMetadata(prepared.backup)
  const { compression } = settings
  const sink = { store, container, compression, zeroForms: new ZeroForms(), extraMetadata }
  return { prepared, prefix, sink }
}

/** Cinder refuses an incremental of a volume that grew; here it is one more change. */
export function refuseGrowth(settings: DriverSettings, { parent }: PreparedBackup, sizeBytes: number): void {
  if (!settings.strict || !parent || sizeBytes <= parent.record.sizeBytes) return
  throw new BackupError('VOLUME_GREW', 'Volume size increased since the last backup. Do a full backup.', {
    backupId: parent.record.id,
  })
}
