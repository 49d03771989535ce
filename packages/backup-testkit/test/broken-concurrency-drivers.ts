import type { ObjectInfo, StoreOptions } from '@stowage/backup-core'
import { MemoryBackupDriver } from '../src/index.js'
import type { BrokenDriver } from './broken-drivers.js'

/** Drivers that answer with what was true a moment ago. */
export const brokenConcurrencyDrivers: readonly BrokenDriver[] = [
  {
    fault: 'objectExists remembers objects that were deleted',
    foundBy: [
      'a delete of a parent, between any two calls of an incremental on it before writer.close, never leaves the incremental alone',
    ],
    Driver: class extends MemoryBackupDriver {
      override objectExists(): Promise<boolean> {
        return Promise.resolve(true)
      }
    },
  },
  {
    // An incremental is on its guard by one of the two, a delete by the other.
    fault: 'a container is listed once, and then from memory, and without the markers of deletes',
    foundBy: [
      'an incremental, made between any two calls of a delete of its parent before deleteObject, is never without it',
    ],
    Driver: class extends MemoryBackupDriver {
      readonly #listings = new Map<string, string[]>()
      override async *getContainerEntries(...args: [string, string, StoreOptions]): AsyncGenerator<string> {
        const key = `${args[0]} ${args[1]}`
        const names: string[] = this.#listings.get(key) ?? []
        if (!this.#listings.has(key)) {
          for await (const name of super.getContainerEntries(...args)) {
            if (!name.startsWith('stowage-')) names.push(name)
          }
          this.#listings.set(key, names)
        }
        yield* names
      }
    },
  },
  {
    fault: 'objectModifiedAt gives the present time for objects that are not there',
    foundBy: ['objectModifiedAt returns times in the order of writing, and undefined where no object exists'],
    Driver: class extends MemoryBackupDriver {
      override objectModifiedAt(): Promise<Date> {
        return Promise.resolve(new Date())
      }
    },
  },
  {
    fault: 'objectInfo gives the MD5 of another object',
    foundBy: [
      'objectInfo returns the length of an object, its MD5 or none, and undefined where no object exists',
    ],
    Driver: class extends MemoryBackupDriver {
      override async objectInfo(...args: [string, string, StoreOptions]): Promise<ObjectInfo | undefined> {
        const info = await super.objectInfo(...args)
        return info && { ...info, md5: 'd41d8cd98f00b204e9800998ecf8427e' }
      }
    },
  },
]
