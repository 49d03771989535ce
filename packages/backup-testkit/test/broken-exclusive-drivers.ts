import type { ObjectWriter, WriterOptions } from '@stowage/backup-core'
import { MemoryBackupDriver } from '../src/index.js'
import type { BrokenDriver } from './broken-drivers.js'

/** Drivers whose exclusive writers are not. */
export const brokenExclusiveDrivers: readonly BrokenDriver[] = [
  {
    fault: 'exclusive writers replace what exists',
    foundBy: [
      'an exclusive writer rejects with CONFLICT and leaves an existing object unchanged, also after its abort',
      'of concurrent exclusive writers that claim one name exactly one resolves, and the object is what that one wrote',
    ],
    Driver: class extends MemoryBackupDriver {
      override getObjectWriter(
        container: string,
        objectName: string,
        options: WriterOptions,
      ): ReturnType<MemoryBackupDriver['getObjectWriter']> {
        return super.getObjectWriter(container, objectName, { ...options, exclusive: false })
      }
    },
  },
  {
    fault: 'the abort of an exclusive writer deletes what another one created',
    foundBy: [
      'an exclusive writer rejects with CONFLICT and leaves an existing object unchanged, also after its abort',
    ],
    Driver: class extends MemoryBackupDriver {
      override async getObjectWriter(
        container: string,
        objectName: string,
        options: WriterOptions,
      ): Promise<never> {
        const writer: ObjectWriter = await super.getObjectWriter(container, objectName, options)
        const changed: ObjectWriter = {
          write: (bytes) => writer.write(bytes),
          close: () => writer.close(),
          abort: async () => {
            await writer.abort()
            this.store.delete(container, objectName)
          },
        }
        return changed as never
      }
    },
  },
]
