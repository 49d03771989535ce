import { BackupError } from '../errors/backup-error.js'
import {
  canFetchInPieces,
  fetchMemoryBytes,
  loadCompressors,
  type ChainObject,
  type FetchJob,
} from '../fetch/fetch-object.js'
import { fetchLimits, PIECES_BYTES } from '../fetch/visit-objects.js'
import type { StoredObject } from '../format/manifest.js'
import { MemoryLease } from '../pipeline/byte-budget.js'
import { runPipeline, type PipelineContext } from '../pipeline/pipeline.js'
import type { ProgressMeter } from '../pipeline/progress-meter.js'
import type { DriverSettings } from '../settings/settings.js'
import { ObjectCopy, type ObjectsTarget, type ObjectToCopy } from './copy-object.js'
import { infoOf } from './stored-objects.js'

/** How the objects of a backup are copied. */
export interface ObjectsCopyOptions {
  readonly settings: DriverSettings
  readonly signal: AbortSignal | undefined
  readonly meter: ProgressMeter
  /** Whether compressed objects are decompressed to verify their content. */
  readonly verify: boolean
}

/** What was copied of a backup. */
export interface CopiedObjects {
  readonly objectsCopied: number
  /** The destination had them. */
  readonly objectsKept: number
  readonly transferredBytes: number
}

/**
 * Copies the data objects of one backup, several concurrently, in the memory that the destination's driver allows.
 *
 * @param items - the objects in the source, with their names in the destination
 */
export async function copyObjects(
  job: FetchJob,
  items: readonly (ChainObject & { readonly targetName: string })[],
  target: ObjectsTarget,
  { settings, signal, meter, verify }: ObjectsCopyOptions,
): Promise<CopiedObjects> {
  if (verify) await loadCompressors(job, items)
  const limits = fetchLimits(settings, items)
  const isChecked = (object: StoredObject): boolean =>
    object.compression === 'none' || (verify && job.compressors.find(object.compression) !== null)
  // Without `verify`, the caller knows.
  warnOfUnchecked(job, items, (object) => !verify || isChecked(object))
  const totals = { objectsCopied: 0, objectsKept: 0, transferredBytes: 0 }
  const source = async function* (context: PipelineContext): AsyncGenerator<ObjectCopy> {
    for (const item of items) {
      const checked = isChecked(item.object)
      const neededBytes = fetchMemoryBytes(item.object)
      const streamedBytes =
        neededBytes > limits.memoryBytes ? await streamableBytes(job, item, target, checked) : undefined
      if (streamedBytes === undefined && neededBytes > settings.maxObjectMemoryBytes)
        throw tooLarge(item, neededBytes, settings.maxObjectMemoryBytes)
      const bytes = streamedBytes === undefined ? neededBytes : Math.min(PIECES_BYTES, limits.memoryBytes)
      const memory = await MemoryLease.take(context.budget, bytes)
      const copy: ObjectToCopy = { ...item, checked, streamedBytes }
      yield new ObjectCopy(job, copy, target, context, meter, memory)
    }
  }
  const work = async (copy: ObjectCopy): Promise<void> => {
    try {
      const sentBytes = await copy.run()
      totals.transferredBytes += sentBytes ?? 0
      if (sentBytes === undefined) totals.objectsKept += 1
      else totals.objectsCopied += 1
    } finally {
      copy.memory.keepOnly(0)
    }
  }
  await runPipeline({ ...limits, signal, operation: 'The copy' }, source, work)
  return totals
}

/** Returns the stored length of an object that can be copied while it is read; undefined for one that must be held. */
async function streamableBytes(
  job: FetchJob,
  { layer, object }: ChainObject,
  { store }: ObjectsTarget,
  checked: boolean,
): Promise<number | undefined> {
  const { access } = job
  const { streamingWrites = false, streamingBodies = false } = store.capabilities
  const canRead = checked ? canFetchInPieces(job, object) : access.store.capabilities.streamingReads === true
  if (!canRead || !(streamingWrites || streamingBodies)) return undefined
  if (object.compression === 'none') return object.lengthBytes
  const place = { access, container: layer.record.container, objectName: object.name }
  return (await infoOf(place))?.lengthBytes
}

function tooLarge({ layer, object }: ChainObject, neededBytes: number, limitBytes: number): BackupError {
  const { id, container } = layer.record
  return new BackupError(
    'MEMORY_LIMIT',
    `Cannot copy ${object.name}: it holds ${object.lengthBytes} bytes and takes ${neededBytes} bytes of memory, which exceeds the limit of ${limitBytes}, since it cannot be copied in pieces. ` +
      `Set maxMemoryBytes of the destination to at least ${neededBytes}, or \`verify\` to false.`,
    { backupId: id, container, objectName: object.name },
  )
}

/** Objects of which nothing but the stored bytes can be verified are not copied silently. */
function warnOfUnchecked(
  job: FetchJob,
  items: readonly ChainObject[],
  isChecked: (object: StoredObject) => boolean,
): void {
  const unchecked = items.filter(({ object }) => !isChecked(object) || object.md5 === null)
  const [first] = unchecked
  if (!first) return
  const { compression, md5 } = first.object
  const reason =
    md5 === null ? 'the manifest has no MD5 of it' : `it was not decompressed (compression ${compression})`
  job.onWarning({
    code: 'COPY_UNVERIFIED',
    message: `The content of ${unchecked.length} object(s) of backup ${first.layer.record.id} was copied without being verified, such as ${first.object.name}: ${reason}. Verify the copy with level \`full\`.`,
    backupId: first.layer.record.id,
  })
}
