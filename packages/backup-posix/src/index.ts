export { getBackupDriver, PosixBackupDriver } from './driver.js'
export type { PosixDriverOptions } from './options.js'
export { stowageBackend } from './stowage-backend.js'
