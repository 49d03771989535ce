import type { CatalogFilter, CatalogLookup } from '../contracts/records.js'
import {
  checkArgument,
  checkOptions,
  hasMethods,
  isObject,
  optionRules as rules,
  type OptionRule,
  type OptionShape,
} from '../checks/check-options.js'
import type {
  BackupRequest,
  CopyOptions,
  CopySelection,
  DeleteOptions,
  OrphanOptions,
  RestoreOptions,
  VerifyOptions,
} from '../contracts/requests.js'
import type { OperationOptions } from '../contracts/progress.js'
import type { StoreOptions } from '../contracts/object-store.js'
import type { ChunkedDriverOptions } from '../contracts/options.js'
import { packageForCompression } from '../compression/compressors.js'
import { MAX_JOIN_GAP_BYTES } from '../pipeline/memory-plan.js'

/* The rules of the options of public calls. `OptionShape` requires a rule for each option of the type. */

const compressor: OptionRule = {
  expected: 'a compressor object',
  accepts: (value) => {
    if (!hasMethods(value, ['compress', 'decompress'])) return false
    const { name, aliases, cinderCompatible = false } = value
    return (
      typeof name === 'string' &&
      rules.arrayOf(rules.text).accepts(aliases) &&
      typeof cinderCompatible === 'boolean'
    )
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
    return 'Pass the compressor that such a package makes, or leave it out to store raw data.'
  const factory = packageName.slice(packageName.lastIndexOf('-') + 1)
  return `Pass ${factory}() of ${packageName}.`
}

/** The options of every driver. A driver with options of its own adds their rules to these. */
export const chunkedDriverShape: OptionShape<ChunkedDriverOptions> = {
  chunkSizeBytes: rules.wholeNumber(1),
  // resolveSettings() checks its range, and reports why.
  blockSizeBytes: { expected: 'a whole number of bytes', accepts: (value) => typeof value === 'number' },
  joinGapBytes: rules.wholeNumber(0, MAX_JOIN_GAP_BYTES),
  container: rules.nonEmptyText,
  compression: compressor,
  decompressors: rules.arrayOf(compressor, 'an array of compressor objects'),
  findDecompressor: rules.callback,
  catalog: rules.withMethods('a catalog with get, list, put and remove', ['get', 'list', 'put', 'remove']),
  concurrency: rules.wholeNumber(1),
  maxMemoryBytes: rules.wholeNumber(1),
  strict: rules.oneOf('cinder'),
  onRetry: rules.callback,
  onWarning: rules.callback,
  clock: rules.callback,
}

/** The options of a hook of a store, and of the short calls. */
export const storeShape: OptionShape<StoreOptions> = { signal: rules.signal }

const operationShape: OptionShape<OperationOptions> = {
  ...storeShape,
  onProgress: rules.callback,
  onWarning: rules.callback,
}

const recordTexts = ['id', 'volumeId', 'container', 'prefix', 'createdAt']

/** A backup by its id or its record. */
const backupReference: OptionRule = {
  expected: "a backup's id or record",
  accepts: (value) =>
    rules.nonEmptyText.accepts(value) ||
    (isObject(value) &&
      recordTexts.every((name) => typeof value[name] === 'string') &&
      rules.orNull(rules.text).accepts(value['parentId']) &&
      Number.isSafeInteger(value['sizeBytes'])),
  hint: () => 'Pass an id, or a record as backup(), getBackup() and listBackups() return it.',
}

/** An exported record. */
const exportedRecord: OptionRule = {
  expected: 'an object with backupService and backupUrl',
  accepts: isObject,
  hint: () => 'Pass what exportRecord() returned, or parse its JSON first.',
}

const backupRequestShape: OptionShape<BackupRequest> = {
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
    accepts: (value) => value === null || typeof value === 'string' || isObject(value),
  },
}

const extent: OptionRule = {
  expected: 'an object with offsetBytes and lengthBytes',
  accepts: (value) =>
    isObject(value) && typeof value['offsetBytes'] === 'number' && typeof value['lengthBytes'] === 'number',
}

const restoreShape: OptionShape<RestoreOptions> = {
  ...operationShape,
  range: extent,
  overwrite: rules.flag,
  sparse: rules.flag,
  allowMissingMd5: rules.flag,
}

const verifyShape: OptionShape<VerifyOptions> = {
  ...operationShape,
  level: rules.oneOf('quick', 'full'),
  allowMissingMd5: rules.flag,
}

const deleteShape: OptionShape<DeleteOptions> = {
  ...operationShape,
  withDescendants: rules.flag,
  force: rules.flag,
}

const copyShape: OptionShape<CopyOptions> = {
  ...operationShape,
  container: rules.nonEmptyText,
  verify: rules.flag,
}

const selectionShape: OptionShape<CopySelection> = {
  volumeId: rules.nonEmptyText,
  since: {
    expected: 'a valid Date',
    accepts: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
  },
}

/** A driver, of this or another copy of this package. */
const driver = rules.withMethods('a driver', ['getChain', 'listBackups', 'getObjectReader'])

const orphanShape: OptionShape<OrphanOptions> = {
  ...storeShape,
  onWarning: rules.callback,
  olderThanMs: {
    expected: 'a number of milliseconds, at least 0',
    accepts: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  },
  dryRun: rules.flag,
}

const lookupShape: OptionShape<CatalogLookup> = { ...storeShape, nearContainer: rules.nonEmptyText }

const filterShape: OptionShape<CatalogFilter> = {
  ...lookupShape,
  volumeId: rules.nonEmptyText,
  container: rules.nonEmptyText,
  idPrefix: rules.nonEmptyText,
}

/** What a restore writes to. */
const volumeTarget = rules.withMethods('a volume', ['openTarget'], (value) => {
  if (typeof value === 'string') return 'For the file or device of that name, use fileVolume(path).'
  if (value instanceof URL) return 'For a file: URL, use fileVolume(fileURLToPath(url)).'
  if (ArrayBuffer.isView(value)) return 'For a buffer, use bufferVolume(buffer).'
  return 'Use fileVolume(path), or bufferVolume() to restore into memory.'
})

/**
 * The arguments of a driver's public calls, in their order. A misspelled option must not be ignored: a call checks its
 * arguments before it does anything else.
 */
const CALLS = {
  backup: { request: backupRequestShape, options: operationShape },
  restore: { backup: backupReference, target: volumeTarget, options: restoreShape },
  verify: { backup: backupReference, options: verifyShape },
  deleteBackup: { backup: backupReference, options: deleteShape },
  copyFrom: { source: driver, backup: backupReference, options: copyShape },
  copyBackups: { from: driver, to: driver, options: { ...copyShape, ...selectionShape } },
  diffStores: { from: driver, to: driver, options: { ...storeShape, ...selectionShape } },
  removeOrphans: { options: orphanShape },
  getBackup: { backupId: rules.nonEmptyText, options: lookupShape },
  listBackups: { filter: filterShape },
  getChain: { backup: backupReference, options: storeShape },
  exportRecord: { backup: backupReference, options: storeShape },
  // The content of the record may come from a file, and has a code of its own: RECORD_INVALID.
  importRecord: { record: exportedRecord, options: storeShape },
  createStore: { options: storeShape },
} satisfies Readonly<Record<string, Readonly<Record<string, OptionRule | ShapeOfOptions>>>>

type ShapeOfOptions = Readonly<Record<string, OptionRule>>

/**
 * Checks the arguments of a public call.
 *
 * @param args - the call's arguments by their names
 * @throws BackupError `OPTION_INVALID`
 */
export function validateCall<Call extends keyof typeof CALLS>(
  call: Call,
  args: Readonly<Record<keyof (typeof CALLS)[Call], unknown>>,
): void {
  const expected: Readonly<Record<string, OptionRule | ShapeOfOptions>> = CALLS[call]
  for (const [name, value] of Object.entries(args)) {
    const rule = expected[name] ?? {}
    const what = `the ${name} of ${call}()`
    if (isRule(rule)) checkArgument(what, value, rule)
    else checkOptions(what, value, rule)
  }
}

function isRule(rule: OptionRule | ShapeOfOptions): rule is OptionRule {
  return typeof rule.accepts === 'function'
}
