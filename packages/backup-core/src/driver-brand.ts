import type { ChunkedBackupDriver } from './chunked-backup-driver.js'

/**
 * The version of the calls between a program and a driver. It is increased when a program that was written for one version
 * cannot use a driver that extends the other one.
 */
const DRIVER_VERSION = 1

/** Marks the drivers of every copy of this package: `instanceof` is false between two copies. */
const brand = Symbol.for('@stowage/backup-core/ChunkedBackupDriver')

/** Marks a driver with the version of this package's calls. */
export function markDriver(driver: object): void {
  Object.defineProperty(driver, brand, { value: DRIVER_VERSION })
}

/**
 * Whether a value is a driver that this copy of the package can use: one that extends `ChunkedBackupDriver` of this copy,
 * or of another one with the same version of the driver's calls, where `instanceof` is false.
 */
export function isBackupDriver(value: unknown): value is ChunkedBackupDriver {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Readonly<Record<symbol, unknown>>)[brand] === DRIVER_VERSION
  )
}
