import { driverConformance } from '@stowage/backup-testkit'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { PosixBackupDriver } from '../src/index.js'

/** The kit's suite on a directory of the machine. */
export function posixConformance({
  fsync,
  longListing,
}: {
  readonly fsync: boolean
  readonly longListing: number
}): void {
  driverConformance({
    describe,
    it,
    label: `PosixBackupDriver, fsync: ${fsync}`,
    longListing,
    capabilities: {
      streamingReads: true,
      rangedReads: true,
      streamingWrites: true,
      exclusiveCreate: true,
      containerListing: true,
      modificationTimes: true,
      objectInfo: true,
      temporaryObjects: true,
      localFiles: true,
      maxObjectNameBytes: 255,
    },
    create: async () => {
      const path = await mkdtemp(join(tmpdir(), 'stowage-posix-'))
      return {
        open: (options) => new PosixBackupDriver({ ...options, path, fsync, create: true }),
        destroy: () => rm(path, { recursive: true }),
      }
    },
  })
}
