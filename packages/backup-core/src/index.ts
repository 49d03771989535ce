export { BackupError, isBackupError } from './errors/backup-error.js'
export type { BackupErrorDetails, BackupErrorOptions, BackupProblem } from './errors/backup-error.js'
export { abortedError, isAbort, throwIfAborted } from './errors/abort.js'
export { errorMapper } from './errors/error-mapper.js'
export type { CallContext, CodeOf, ErrorMapper, ErrorMeaning } from './errors/error-mapper.js'
export type { BackupErrorCode } from './errors/codes.js'
export { ChunkedBackupDriver } from './driver/chunked-backup-driver.js'
export { chunkedDriverShape, storeShape } from './driver/option-shapes.js'
export { checkArgument, checkOptions } from './options/check-options.js'
export type { OptionRule, OptionShape } from './options/option-rule.js'
export { optionRules } from './options/rules.js'
export { formatCreatedAt, formatPrefixTimestamp, parseCreatedAt } from './format/timestamps.js'
export {
  COMPRESSION_WORDS,
  isRawWord,
  packageForWord,
  unknownCompression,
} from './compression/compressors.js'
export { bufferVolume, type BufferVolume } from './volume/buffer-volume.js'
export { fileVolume, type FileVolume, type FileVolumeOptions } from './volume/file-volume.js'
export { randomAccessVolume } from './volume/random-access-volume.js'
export { streamVolume, type StreamVolumeOptions } from './volume/stream-volume.js'
export type { DriverCapabilities } from './driver/capabilities.js'
export type {
  ObjectReader,
  ObjectWriter,
  ReadOptions,
  ReplayableBody,
  DeleteObjectOptions,
  StoreOptions,
} from './driver/object-io.js'
export type {
  ContainerOptions,
  FailedDelete,
  ObjectOptions,
  ObjectStore,
  RemoveTemporariesOptions,
  TemporaryObject,
  WriterOptions,
} from './driver/object-store.js'
export type { ChunkedDriverOptions, DriverDefaults } from './driver/options.js'
export type {
  BackupRequest,
  CreatedStore,
  DeleteOptions,
  DeleteResult,
  ExportedRecord,
  RestoredVolumeMetadata,
  RestoreOptions,
  RestoreResult,
  VerifyOptions,
  VerifyResult,
} from './driver/requests.js'
export type { Orphan, OrphanOptions, OrphanResult } from './orphans/orphan.js'
export type {
  BackupRecord,
  BackupReference,
  BackupResult,
  ExtraMetadata,
  NewBackup,
  StoredSizes,
} from './driver/types.js'
export type { BackupCatalog, CatalogFilter, CatalogLookup } from './catalog/catalog.js'
export type {
  Compressor,
  CodecOptions,
  CompressOptions,
  DecompressOptions,
} from './compression/compressor.js'
export type { JsonValue } from './format/json-value.js'
export type {
  BackupWarning,
  OperationOptions,
  Progress,
  ProgressListener,
  ProgressPhase,
  RetryEvent,
  RetryListener,
  StepListener,
  WarningListener,
} from './progress/progress.js'
export type {
  BackupSource,
  OpenSource,
  OpenTarget,
  RandomAccessSource,
  TargetRequirements,
  VolumeExtent,
  VolumeOpenOptions,
  VolumeSource,
  VolumeTarget,
} from './volume/volume.js'
