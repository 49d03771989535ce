import type { CatalogFilter, CatalogLookup } from '../catalog/catalog.js'
import { packageForWord } from '../compression/compressors.js'
import type { OptionRule, OptionShape } from '../options/option-rule.js'
import { optionRules as rules } from '../options/rules.js'
import type { OrphanOptions } from '../orphans/orphan.js'
import type { OperationOptions } from '../progress/progress.js'
import type { StoreOptions } from './object-io.js'
import type { ChunkedDriverOptions } from './options.js'
import type { BackupRequest, DeleteOptions, RestoreOptions, VerifyOptions } from './requests.js'

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
  const packageName = packageForWord(value)
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
}

/** What a restore writes to. */
export const volumeTarget: OptionRule = rules.withMethods('a volume', ['openTarget'], (value) => {
  if (typeof value === 'string') return 'For the file or device of that name, use fileVolume(path).'
  if (value instanceof URL) return 'For a file: URL, use fileVolume(fileURLToPath(url)).'
  if (ArrayBuffer.isView(value)) return 'For a buffer, use bufferVolume(buffer).'
  return 'Use fileVolume(path), or bufferVolume() to restore into memory.'
})
