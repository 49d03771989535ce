import type { CatalogFilter, CatalogLookup } from '../contracts/catalog.js'
import { optionRules as rules, type OptionRule, type OptionShape } from '../checks/option-rules.js'
import type {
  BackupRequest,
  DeleteOptions,
  OrphanOptions,
  RestoreOptions,
  VerifyOptions,
} from '../contracts/requests.js'
import type { OperationOptions } from '../contracts/progress.js'
import type { StoreOptions } from '../contracts/object-store.js'
import type { ChunkedDriverOptions } from '../contracts/options.js'
import { checkArgument, checkOptions } from '../checks/check-options.js'
import { packageForCompression } from '../compression/compressors.js'

/** Which rule each option of the public calls has. A type holds them complete: an option without a rule is no option. */

const compressor: OptionRule = {
  expected: 'a compressor object',
  accepts: (value) => {
    if (!rules.withMethods('', ['compress', 'decompress']).accepts(value)) return false
    const { name, aliases, cinderCompatible } = value as Readonly<Record<string, unknown>>
    const declares = cinderCompatible === undefined || typeof cinderCompatible === 'boolean'
    return typeof name === 'string' && rules.arrayOf(rules.text).accepts(aliases) && declares
  },
  hint: (value) => compressorHint(value),
}

function compressorHint(value: unknown): string | undefined {
  if (typeof value === 'function') return 'Call the function: pass zlib(), not zlib.'
  if (typeof value === 'object' && value !== null)
    return 'It needs name, aliases, compress() and decompress(); cinderCompatible is true or false.'
  if (typeof value !== 'string') return undefined
  const packageName = packageForCompression(value)
  if (packageName === undefined)
    return 'Pass what a package of a compressor makes, or leave it out to store raw data.'
  const factory = packageName.slice(packageName.lastIndexOf('-') + 1)
  return `Pass ${factory}() of ${packageName}.`
}

const catalog = rules.withMethods('a catalog with get, list, put and remove', [
  'get',
  'list',
  'put',
  'remove',
])

/** The options of every driver. A driver with options of its own adds their rules to these. */
export const chunkedDriverShape: OptionShape<ChunkedDriverOptions> = {
  chunkSizeBytes: rules.wholeNumber(1),
  // Its bounds have reasons, which the driver's settings give.
  blockSizeBytes: { expected: 'a whole number of bytes', accepts: (value) => typeof value === 'number' },
  // A gap that is stored has to lie in pieces that are held: it must be smaller than any piece of a chunk.
  joinGapBytes: rules.wholeNumber(0, 4 * 1024 * 1024),
  container: rules.nonEmptyText,
  compression: compressor,
  decompressors: rules.arrayOf(compressor, 'an array of compressor objects'),
  catalog,
  concurrency: rules.wholeNumber(1),
  maxMemoryBytes: rules.wholeNumber(1),
  strict: rules.oneOf('cinder'),
  onRetry: rules.callback,
  onWarning: rules.callback,
  clock: rules.callback,
}

/** The options of a hook of a store, and of the short calls. */
export const storeShape: OptionShape<StoreOptions> = { signal: rules.signal }

export const operationShape: OptionShape<OperationOptions> = {
  ...storeShape,
  onProgress: rules.callback,
  onWarning: rules.callback,
}

const recordTexts = ['id', 'volumeId', 'container', 'prefix', 'createdAt'] as const

/** A backup by its id or its record. */
export const backupReference: OptionRule = {
  expected: "a backup's id or record",
  accepts: (value) => (typeof value === 'string' && value !== '') || isRecord(value),
  hint: () => 'Pass an id, or a record as backup(), getBackup() and listBackups() give it.',
}

function isRecord(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Readonly<Record<string, unknown>>
  const { parentId } = fields
  return (
    recordTexts.every((name) => typeof fields[name] === 'string') &&
    (parentId === null || typeof parentId === 'string') &&
    Number.isSafeInteger(fields['sizeBytes'])
  )
}

export const backupRequestShape: OptionShape<BackupRequest> = {
  volumeId: rules.required(rules.nonEmptyText),
  backupId: rules.nonEmptyText,
  parent: rules.orNull(backupReference),
  incremental: rules.flag,
  allowEmpty: rules.flag,
  allowShrink: rules.flag,
  container: rules.nonEmptyText,
  name: rules.orNull(rules.text),
  description: rules.orNull(rules.text),
  volumeMetadata: {
    expected: 'an object, a string that holds the JSON of one, or null',
    accepts: (value) => value === null || typeof value === 'string' || rules.object.accepts(value),
  },
}

const extent: OptionRule = {
  expected: 'an object with offsetBytes and lengthBytes',
  accepts: (value) => {
    if (!rules.object.accepts(value)) return false
    const fields = value as Readonly<Record<string, unknown>>
    return typeof fields['offsetBytes'] === 'number' && typeof fields['lengthBytes'] === 'number'
  },
}

export const restoreShape: OptionShape<RestoreOptions> = {
  ...operationShape,
  range: extent,
  overwrite: rules.flag,
  sparse: rules.flag,
  allowMissingMd5: rules.flag,
}

export const verifyShape: OptionShape<VerifyOptions> = {
  ...operationShape,
  level: rules.oneOf('quick', 'full'),
  allowMissingMd5: rules.flag,
}

export const deleteShape: OptionShape<DeleteOptions> = {
  ...operationShape,
  withDescendants: rules.flag,
  force: rules.flag,
}

export const orphanShape: OptionShape<OrphanOptions> = {
  ...operationShape,
  olderThanMs: {
    expected: 'a number of milliseconds, at least 0',
    accepts: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  },
  dryRun: rules.flag,
}

export const lookupShape: OptionShape<CatalogLookup> = { ...storeShape, nearContainer: rules.nonEmptyText }

export const filterShape: OptionShape<CatalogFilter> = {
  ...lookupShape,
  volumeId: rules.nonEmptyText,
  container: rules.nonEmptyText,
  idPrefix: rules.nonEmptyText,
}

/** What a restore writes to. */
export const volumeTarget: OptionRule = rules.withMethods('a volume', ['openTarget'], (value) => {
  if (typeof value === 'string') return 'For the file or device of that name, use fileVolume(path).'
  if (value instanceof URL) return 'For a file: URL, use fileVolume(fileURLToPath(url)).'
  if (ArrayBuffer.isView(value)) return 'For a buffer, use bufferVolume(buffer).'
  return 'Use fileVolume(path), or bufferVolume() to restore into memory.'
})

/*
 * The arguments of a driver's public calls, checked before anything else is done: a misspelled option must not be
 * ignored. Each throws `OPTION_INVALID`.
 */

export function checkBackupCall(request: unknown, options: unknown): void {
  checkOptions('the request of backup()', request, backupRequestShape)
  checkOptions('the options of backup()', options, operationShape)
}

export function checkRestoreCall(backup: unknown, target: unknown, options: unknown): void {
  checkArgument('the backup of restore()', backup, backupReference)
  checkArgument('the target of restore()', target, volumeTarget)
  checkOptions('the options of restore()', options, restoreShape)
}

export function checkVerifyCall(backup: unknown, options: unknown): void {
  checkArgument('the backup of verify()', backup, backupReference)
  checkOptions('the options of verify()', options, verifyShape)
}

export function checkDeleteCall(backup: unknown, options: unknown): void {
  checkArgument('the backup of deleteBackup()', backup, backupReference)
  checkOptions('the options of deleteBackup()', options, deleteShape)
}

export function checkOrphansCall(options: unknown): void {
  checkOptions('the options of removeOrphans()', options, orphanShape)
}

export function checkGetCall(backupId: unknown, options: unknown): void {
  checkArgument('the backup id of getBackup()', backupId, rules.nonEmptyText)
  checkOptions('the options of getBackup()', options, lookupShape)
}

export function checkListCall(filter: unknown): void {
  checkOptions('the filter of listBackups()', filter, filterShape)
}

/** `getChain` and `exportRecord`. */
export function checkReferenceCall(call: string, backup: unknown, options: unknown): void {
  checkArgument(`the backup of ${call}()`, backup, backupReference)
  checkOptions(`the options of ${call}()`, options, storeShape)
}

export function checkImportCall(record: unknown, options: unknown): void {
  // What is in it may come from a file, and has a code of its own: RECORD_INVALID.
  checkArgument('the record of importRecord()', record, {
    ...rules.object,
    expected: 'an object with backupService and backupUrl',
    hint: () => 'Pass what exportRecord() gave, or parse its JSON first.',
  })
  checkOptions('the options of importRecord()', options, storeShape)
}
