export { driverConformance } from './conformance/driver-conformance.js'
export { MemoryTarget } from './conformance/memory-target.js'
export type {
  ConformanceIt,
  ConformanceRunner,
  ConformanceStore,
  DriverConformanceOptions,
} from './conformance/types.js'
export { fault } from './faulty/fault.js'
export type { FailOptions } from './faulty/fault.js'
export { FaultyBackupDriver } from './faulty/faulty-driver.js'
export type { FaultyDriverOptions } from './faulty/faulty-driver.js'
export type { Fault, FaultEffect, FaultMatch, StoreCall, StoreOperation } from './faulty/faults.js'
export { MemoryBackupDriver } from './memory/memory-driver.js'
export type { MemoryDriverOptions } from './memory/memory-driver.js'
export { MemoryStore } from './memory/memory-store.js'
