import type { StoreOptions } from '../driver/object-io.js'
import type { ObjectStore } from '../driver/object-store.js'
import type { BackupRecord } from '../driver/types.js'
import { BackupError } from '../errors/backup-error.js'
import { parseMetadata, type BackupMetadata } from '../format/metadata.js'
import { metadataObjectName } from '../format/object-names.js'
import { readStream } from '../store/read-object.js'

/**
 * The longest `_metadata` that is read: 1 GiB, some five million objects. Cinder's own, for 1 TiB at its default chunk
 * size, is 4 MiB. Whoever stores a longer one means harm, or has chosen a chunk size far too small.
 */
const MAX_METADATA_BYTES = 2 ** 30

/** Reads the commit object of a backup that is found by its place alone. */
export async function readMetadataAt(
  store: ObjectStore,
  place: { readonly container: string; readonly objectName: string },
  options: StoreOptions,
): Promise<BackupMetadata> {
  const { container, objectName } = place
  const metadata = await readStream(
    store,
    container,
    objectName,
    { ...options, extraMetadata: null },
    async (pieces) => {
      let textBytes = 0
      const counted = withinLimit(pieces, place, (readBytes) => (textBytes = readBytes))
      return { ...(await parseMetadata(counted, { container, objectName })), textBytes }
    },
  )
  // Every backend's prefixes contain the id (ObjectStore.generateObjectNamePrefix): one that does not is another's.
  if (objectName.includes(metadata.backupId)) return metadata
  throw new BackupError(
    'METADATA_INVALID',
    `${objectName} says that it is of backup ${metadata.backupId}, whose id its name does not have. Was it renamed?`,
    { container, objectName },
  )
}

async function* withinLimit(
  pieces: AsyncIterable<Uint8Array>,
  place: { readonly container: string; readonly objectName: string },
  onRead: (readBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let readBytes = 0
  for await (const piece of pieces) {
    readBytes += piece.length
    onRead(readBytes)
    if (readBytes > MAX_METADATA_BYTES) {
      throw new BackupError(
        'METADATA_INVALID',
        `${place.objectName} is longer than ${MAX_METADATA_BYTES} bytes.`,
        {
          container: place.container,
          objectName: place.objectName,
        },
      )
    }
    yield piece
  }
}

/** Reads a backup's commit object, and holds it against the record that led there. */
export async function readMetadata(
  store: ObjectStore,
  record: Pick<BackupRecord, 'id' | 'container' | 'prefix'>,
  options: StoreOptions,
): Promise<BackupMetadata> {
  const objectName = metadataObjectName(record.prefix)
  const where = { container: record.container, objectName }
  const metadata = await readMetadataAt(store, where, options)
  if (metadata.backupId !== record.id) {
    throw new BackupError(
      'METADATA_INVALID',
      `${objectName} says that it is of backup ${metadata.backupId}, not of ${record.id}. Was it renamed?`,
      { ...where, backupId: record.id },
    )
  }
  return metadata
}
