export { BackupError, isBackupError } from './errors/backup-error.js'
export type {
  BackupErrorCode,
  BackupErrorDetails,
  BackupErrorOptions,
  BackupProblem,
} from './errors/backup-error.js'
export { abortedError, isAbort, throwIfAborted } from './errors/backup-error.js'
export { errorMapper } from './errors/error-mapper.js'
export type { CallContext, CodeOf, ErrorMapper, ErrorMeaning } from './errors/error-mapper.js'
export { ChunkedBackupDriver } from './chunked-backup-driver.js'
export { chunkedDriverShape, storeShape } from './settings/option-shapes.js'
export { checkArgument, checkOptions } from './checks/check-options.js'
export type { OptionRule, OptionShape } from './checks/check-options.js'
export { optionRules } from './checks/check-options.js'
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
export type * from './contracts/records.js'
export type * from './contracts/compressor.js'
export type * from './contracts/options.js'
export type * from './contracts/progress.js'
export type * from './contracts/records.js'
export type * from './contracts/requests.js'
export type * from './contracts/volume.js'
