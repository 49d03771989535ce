import { describe, it } from 'vitest'
import { driverConformance, MemoryBackupDriver, MemoryStore } from '../src/index.js'

driverConformance({
  describe,
  it,
  label: 'MemoryBackupDriver',
  capabilities: {
    streamingReads: true,
    rangedReads: true,
    streamingWrites: true,
    exclusiveCreate: true,
    containerListing: true,
    modificationTimes: true,
    objectInfo: true,
  },
  create: () => {
    const store = new MemoryStore()
    return { open: (options) => new MemoryBackupDriver({ ...options, store }) }
  },
})
