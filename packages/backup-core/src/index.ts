export { BackupError, isBackupError } from './errors/backup-error.js'
export type { BackupErrorDetails, BackupErrorOptions, BackupProblem } from './errors/backup-error.js'
export { abortedError, isAbort, throwIfAborted } from './errors/abort.js'
export { errorMapper } from './errors/error-mapper.js'
export type { CallContext, CodeOf, ErrorMapper, ErrorMeaning } from './errors/error-mapper.js'
export type { BackupErrorCode } from './errors/backup-error.js'
export { ChunkedBackupDriver } from './chunked-backup-driver.js'
export { chunkedDriverShape, storeShape } from './settings/option-shapes.js'
export { checkArgument, checkOptions } from './checks/check-options.js'
export type { OptionRule, OptionShape } from './checks/option-rules.js'
export { optionRules } from './checks/option-rules.js'
export { formatCreatedAt, formatPrefixTimestamp, parseCreatedAt } from './format/timestamps.js'
export { CINDER_COMPRESSIONS, compressorProblem } from './compression/compressors.js'
export { isAllZeros } from './volume/zeros.js'
export { bufferVolume, type BufferVolume } from './volume/random-access-volume.js'
export { fileVolume, type FileVolume, type FileVolumeOptions } from './volume/file-volume.js'
export { randomAccessVolume } from './volume/random-access-volume.js'
export { streamVolume, type StreamVolumeOptions } from './volume/stream-volume.js'
export type { DriverCapabilities } from './contracts/object-store.js'
export type {
  ObjectReader,
  ObjectWriter,
  ReadOptions,
  ReplayableBody,
  DeleteObjectOptions,
  StoreOptions,
} from './contracts/object-store.js'
export type {
  ContainerOptions,
  FailedDelete,
  ObjectOptions,
  ObjectStore,
  RemoveTemporariesOptions,
  TemporaryObject,
  WriterOptions,
} from './contracts/object-store.js'
export type { ChunkedDriverOptions, DriverDefaults } from './contracts/options.js'
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
} from './contracts/requests.js'
export type { Orphan, OrphanOptions, OrphanResult } from './contracts/requests.js'
export type {
  BackupRecord,
  BackupReference,
  BackupResult,
  ExtraMetadata,
  NewBackup,
  StoredSizes,
} from './contracts/records.js'
export type { BackupCatalog, CatalogFilter, CatalogLookup } from './contracts/catalog.js'
export type { Compressor, CodecOptions, CompressOptions, DecompressOptions } from './contracts/compressor.js'
export type { JsonValue } from './contracts/records.js'
export type {
  BackupWarning,
  OperationOptions,
  Progress,
  ProgressListener,
  ProgressPhase,
  ProgressStep,
  RetryEvent,
  RetryListener,
  StepListener,
  WarningListener,
} from './contracts/progress.js'
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
} from './contracts/volume.js'
