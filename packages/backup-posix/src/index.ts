export { getBackupDriver, PosixBackupDriver } from './driver.js'
export type { PosixDriverOptions } from './options.js'
