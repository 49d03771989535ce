import type { ObjectOptions, StoreOptions } from '@stowage/backup-core'
import { MemoryBackupDriver } from '../src/index.js'
import type { BrokenDriver } from './broken-drivers.js'

/** Drivers that do not end what was aborted, or not as an abort. */
export const brokenSignalDrivers: readonly BrokenDriver[] = [
  {
    fault: 'signals are not heard',
    foundBy: [
      'putContainer rejects with ABORTED when its signal is aborted already',
      'getContainerEntries rejects with ABORTED when its signal is aborted already',
      'a writer, closed at the latest, rejects with ABORTED when its signal is aborted already',
      'deleteObject rejects with ABORTED when its signal is aborted already',
    ],
    Driver: class extends MemoryBackupDriver {
      override putContainer(container: string): Promise<void> {
        return super.putContainer(container, {})
      }
      override getContainerEntries(container: string, prefix: string): AsyncGenerator<string> {
        return super.getContainerEntries(container, prefix, {})
      }
      override getObjectWriter(
        container: string,
        objectName: string,
        { extraMetadata }: ObjectOptions,
      ): ReturnType<MemoryBackupDriver['getObjectWriter']> {
        return super.getObjectWriter(container, objectName, { extraMetadata })
      }
      override deleteObject(container: string, objectName: string): Promise<void> {
        return super.deleteObject(container, objectName, {})
      }
    },
  },
  {
    fault: 'an abort is an error of the client, and another one than AbortError',
    foundBy: [
      'putContainer rejects with ABORTED when its signal is aborted already',
      'deleteObject rejects with ABORTED when its signal is aborted already',
    ],
    Driver: class extends MemoryBackupDriver {
      override putContainer(container: string, options: StoreOptions): Promise<void> {
        if (options.signal?.aborted === true) throw new Error('canceled')
        return super.putContainer(container, options)
      }
      override async deleteObject(...call: [string, string, StoreOptions]): Promise<void> {
        if (call[2].signal?.aborted === true) throw new TypeError('terminated')
        await super.deleteObject(...call)
      }
    },
  },
]
