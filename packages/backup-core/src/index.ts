export {
  abortedError,
  BackupError,
  isAbort,
  isBackupError,
  throwIfAborted,
  type BackupErrorCode,
  type BackupErrorDetails,
  type BackupErrorOptions,
  type BackupProblem,
} from './errors/backup-error.js'
export {
  errorMapper,
  type CallContext,
  type CodeOf,
  type ErrorMapper,
  type ErrorMeaning,
} from './errors/error-mapper.js'
export { ChunkedBackupDriver } from './chunked-backup-driver.js'
export { copyBackup, copyBackups, diffStores } from './copy/copy-stores.js'
export { isBackupDriver } from './driver-brand.js'
export {
  backendPackageProblem,
  type BackendPackage,
  type NetworkLimits,
  type OpenStoreOptions,
} from './backend-package.js'
export { compressorPackageProblem } from './compression/compressor-package.js'
export { chunkedDriverShape, storeShape } from './settings/option-shapes.js'
export {
  checkArgument,
  checkOptions,
  optionRules,
  type OptionRule,
  type OptionShape,
} from './checks/check-options.js'
export { formatCreatedAt, formatPrefixTimestamp, parseCreatedAt } from './format/timestamps.js'
export { CINDER_COMPRESSIONS, compressorProblem } from './compression/compressors.js'
export { WorkerPool, type JobOptions, type WorkerPoolOptions } from './workers/worker-pool.js'
export { isAllZeros } from './volume/zeros.js'
export { randomAccessVolume } from './volume/random-access-volume.js'
export { fileVolume, type FileVolume, type FileVolumeOptions } from './volume/file-volume.js'
export { streamVolume, type StreamVolumeOptions } from './volume/stream-volume.js'
export type {
  ContainerOptions,
  DeleteObjectOptions,
  DriverCapabilities,
  FailedDelete,
  ObjectInfo,
  ObjectOptions,
  ObjectReader,
  ObjectStore,
  ObjectWriter,
  ReadOptions,
  RemoveTemporariesOptions,
  ReplayableBody,
  StoreOptions,
  TemporaryObject,
  WriterOptions,
} from './contracts/object-store.js'
export type * from './contracts/backend-flags.js'
export type * from './contracts/compressor.js'
export type * from './contracts/compressor-package.js'
export type * from './contracts/options.js'
export type * from './contracts/progress.js'
export type * from './contracts/records.js'
export type * from './contracts/requests.js'
export type * from './contracts/volume.js'
export { bufferVolume, type BufferVolume } from './volume/buffer-volume.js'
