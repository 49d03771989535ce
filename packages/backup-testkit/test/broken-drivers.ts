import { BackupError } from '@stowage/backup-core'
import type {
  ExtraMetadata,
  NewBackup,
  ObjectOptions,
  ObjectReader,
  ObjectWriter,
  StoreOptions,
  WriterOptions,
} from '@stowage/backup-core'
import { MemoryBackupDriver } from '../src/index.js'
import type { MemoryDriverOptions } from '../src/index.js'
import { brokenConcurrencyDrivers } from './broken-concurrency-drivers.js'
import { brokenExclusiveDrivers } from './broken-exclusive-drivers.js'
import { brokenListingDrivers } from './broken-listing-drivers.js'
import { brokenSignalDrivers } from './broken-signal-drivers.js'

/** A driver with one fault, and the tests that must find it. */
export interface BrokenDriver {
  readonly fault: string
  readonly foundBy: readonly string[]
  readonly Driver: new (options: MemoryDriverOptions) => MemoryBackupDriver
}

type Reader = Required<ObjectReader>

/** A memory driver whose writers and readers are changed. */
abstract class Changed extends MemoryBackupDriver {
  override async getObjectWriter(...args: [string, string, WriterOptions]): Promise<never> {
    const writer = await super.getObjectWriter(...args)
    return (this.changeWriter?.(writer, args[0], args[1]) ?? writer) as never
  }

  override async getObjectReader(...args: [string, string, ObjectOptions]): Promise<never> {
    const inner = await super.getObjectReader(...args)
    const reader: Reader = {
      read: (options) => inner.read(options),
      stream: (options) => inner.stream(options),
      readRange: (...range) => inner.readRange(...range),
      close: () => Promise.resolve(),
    }
    return { ...reader, ...this.changeReader?.(reader) } as never
  }

  protected changeWriter?(writer: ObjectWriter, container: string, objectName: string): ObjectWriter
  protected changeReader?(reader: Reader): Partial<ObjectReader>
}

export const brokenDrivers: readonly BrokenDriver[] = [
  ...brokenConcurrencyDrivers,
  ...brokenExclusiveDrivers,
  ...brokenListingDrivers,
  ...brokenSignalDrivers,
  {
    fault: 'the signal of a read replaces that of its reader',
    foundBy: ['read', 'stream', 'readRange'].map(
      (name) => `${name} with a signal of its own rejects with ABORTED when that of the reader is aborted`,
    ),
    Driver: class extends MemoryBackupDriver {
      override async getObjectReader(...args: [string, string, ObjectOptions]): Promise<never> {
        const unheard = await super.getObjectReader(args[0], args[1], {
          extraMetadata: args[2].extraMetadata,
        })
        const { signal } = args[2]
        const own = (options: StoreOptions = {}): StoreOptions => ({ ...(signal && { signal }), ...options })
        const reader: Reader = {
          read: (options) => unheard.read(own(options)),
          stream: (options) => unheard.stream(own(options)),
          readRange: (offsetBytes, lengthBytes, options) =>
            unheard.readRange(offsetBytes, lengthBytes, own(options)),
          close: () => Promise.resolve(),
        }
        return reader as never
      }
    },
  },
  {
    fault: 'the listing misses its last page',
    foundBy: ['a listing of 25 names is complete, to its last page'],
    Driver: class extends MemoryBackupDriver {
      override async *getContainerEntries(...args: [string, string, StoreOptions]): AsyncGenerator<string> {
        const names: string[] = []
        for await (const name of super.getContainerEntries(...args)) names.push(name)
        const pageLength = 10
        yield* names.length > pageLength
          ? names.slice(0, Math.floor((names.length - 1) / pageLength) * pageLength)
          : names
      }
    },
  },
  {
    fault: 'the listing takes no notice of the prefix',
    foundBy: ['a listing has no name that does not begin with the prefix'],
    Driver: class extends MemoryBackupDriver {
      override getContainerEntries(
        container: string,
        _prefix: string,
        options: StoreOptions,
      ): AsyncGenerator<string> {
        return super.getContainerEntries(container, '', options)
      }
    },
  },
  {
    fault: 'the listing gives names without their prefix',
    foundBy: ['a listing has every name that begins with the prefix, complete and once'],
    Driver: class extends MemoryBackupDriver {
      override async *getContainerEntries(...args: [string, string, StoreOptions]): AsyncGenerator<string> {
        for await (const name of super.getContainerEntries(...args)) yield name.slice(args[1].length)
      }
    },
  },
  {
    fault: 'an object is visible before its writer is closed',
    foundBy: [
      'an object is not readable, found or listed before its writer is closed',
      'a writer that is neither closed nor aborted shows nothing to another driver',
    ],
    Driver: class extends Changed {
      protected override changeWriter(
        writer: ObjectWriter,
        container: string,
        objectName: string,
      ): ObjectWriter {
        return {
          write: async (bytes) => {
            await writer.write(bytes)
            this.store.set(container, objectName, bytes)
          },
          close: () => writer.close(),
          abort: async () => {
            await writer.abort()
            this.store.delete(container, objectName)
          },
        }
      }
    },
  },
  {
    fault: 'abort leaves the object',
    foundBy: [
      'abort leaves nothing of the object',
      'an object stays as it was until the writer that replaces it is closed',
    ],
    Driver: class extends Changed {
      protected override changeWriter(writer: ObjectWriter): ObjectWriter {
        return {
          write: (bytes) => writer.write(bytes),
          close: () => writer.close(),
          abort: () => writer.close(),
        }
      }
    },
  },
  {
    fault: 'close resolves before the object is readable',
    foundBy: ['an object is readable and found by another driver as soon as close has resolved'],
    Driver: class extends MemoryBackupDriver {
      readonly #looks = new Map<string, number>()
      override async objectExists(...args: [string, string, StoreOptions]): Promise<boolean> {
        const looks = (this.#looks.get(args[1]) ?? 0) + 1
        this.#looks.set(args[1], looks)
        return (await super.objectExists(...args)) && looks > 1
      }
    },
  },
  {
    fault: 'a writer keeps the memory of its caller',
    foundBy: ['a writer does not read the bytes again once write has resolved'],
    Driver: class extends Changed {
      protected override changeWriter(writer: ObjectWriter): ObjectWriter {
        const kept: Uint8Array[] = []
        return {
          write: (bytes) => Promise.resolve(void kept.push(bytes)),
          close: async () => {
            for (const bytes of kept) await writer.write(bytes)
            await writer.close()
          },
          abort: () => writer.abort(),
        }
      }
    },
  },
  {
    fault: 'a writer keeps the pieces of a body until it is closed',
    foundBy: [1000, 65_536, 262_080, 3_000_000].map(
      (bytes) =>
        `a body in pieces of ${bytes} bytes that all lie in the same memory is stored as it was produced`,
    ),
    Driver: class extends Changed {
      protected override changeWriter(writer: ObjectWriter): ObjectWriter {
        return {
          write: (bytes) => writer.write(bytes),
          writeFrom: async (body) => {
            const kept: Uint8Array[] = []
            for await (const piece of body.stream()) kept.push(piece)
            for (const piece of kept) await writer.write(piece)
          },
          close: () => writer.close(),
          abort: () => writer.abort(),
        }
      }
    },
  },
  {
    fault: 'a writer wants the MD5 of a body before it is produced',
    foundBy: ['a body whose MD5 is known only after its last piece is stored as it was produced'],
    Driver: class extends Changed {
      protected override changeWriter(writer: ObjectWriter): ObjectWriter {
        return {
          write: (bytes) => writer.write(bytes),
          writeFrom: async (body) => {
            if (body.md5OfStream && (await body.md5OfStream()) === undefined)
              throw new BackupError('STORE_FAILED', 'no MD5')
            for await (const piece of body.stream()) await writer.write(piece)
          },
          close: () => writer.close(),
          abort: () => writer.abort(),
        }
      }
    },
  },
  {
    fault: 'streamingBodies is declared, and writers have no writeFrom',
    foundBy: ['a body whose MD5 is known only after its last piece is stored as it was produced'],
    Driver: class extends MemoryBackupDriver {
      override readonly capabilities = { streamingBodies: true }
    },
  },
  {
    fault: 'a writer stores what there is of a body that failed',
    foundBy: [
      'a body that fails while it is produced fails its writer with that error, and leaves nothing of the object',
    ],
    Driver: class extends Changed {
      protected override changeWriter(writer: ObjectWriter): ObjectWriter {
        return {
          write: (bytes) => writer.write(bytes),
          writeFrom: async (body) => {
            try {
              for await (const piece of body.stream()) await writer.write(piece)
            } catch {
              // The fault: the failure is not reported.
            }
          },
          close: () => writer.close(),
          abort: () => writer.abort(),
        }
      }
    },
  },
  {
    fault: 'a writer adds to the object that is there',
    foundBy: ['a writer replaces an object of the same name, also a longer one'],
    Driver: class extends Changed {
      protected override changeWriter(
        writer: ObjectWriter,
        container: string,
        objectName: string,
      ): ObjectWriter {
        return {
          write: (bytes) => writer.write(bytes),
          close: async () => {
            const before = this.store.get(container, objectName) ?? new Uint8Array()
            await writer.close()
            const after = this.store.get(container, objectName) ?? new Uint8Array()
            this.store.set(container, objectName, Buffer.concat([before, after]))
          },
          abort: () => writer.abort(),
        }
      }
    },
  },
  {
    fault: 'deleteObject rejects for an object that is not there',
    foundBy: [
      'deleteObject succeeds for an object that does not exist',
      'deleteObject succeeds the second time',
      'deleteObjects removes all objects that it is passed, ignores names that do not exist, and returns no failure',
    ],
    Driver: class extends MemoryBackupDriver {
      override async deleteObject(
        container: string,
        objectName: string,
        options: StoreOptions,
      ): Promise<void> {
        if (!this.store.get(container, objectName))
          throw new BackupError('OBJECT_MISSING', 'It is not there.')
        await super.deleteObject(container, objectName, options)
      }
    },
  },
  {
    fault: 'deleteObject deletes all that begins with the name',
    foundBy: ['deleteObject leaves objects whose names begin with the deleted one'],
    Driver: class extends MemoryBackupDriver {
      override async deleteObject(
        container: string,
        objectName: string,
        options: StoreOptions,
      ): Promise<void> {
        await super.deleteObject(container, objectName, options)
        for (const name of this.store.list(container, objectName)) this.store.delete(container, name)
      }
    },
  },
  {
    fault: 'read takes no notice of maxBytes',
    foundBy: ['read rejects with OBJECT_TOO_LARGE for an object of one byte more than maxBytes'],
    Driver: class extends Changed {
      protected override changeReader(reader: Reader): Partial<ObjectReader> {
        return { read: (options) => reader.read({ ...options, maxBytes: Infinity }) }
      }
    },
  },
  {
    fault: 'a reader gives the first 64 KiB alone',
    foundBy: ['an object of 65537 bytes reads back as it was written'],
    Driver: class extends Changed {
      protected override changeReader(reader: Reader): Partial<ObjectReader> {
        return { read: async (options) => (await reader.read(options)).subarray(0, 65_536) }
      }
    },
  },
  {
    fault: 'readRange gives the whole object, as a server does that does not know ranges',
    foundBy: ['readRange gives exactly the bytes that were asked for at the middle of an object'],
    Driver: class extends Changed {
      protected override changeReader(reader: Reader): Partial<ObjectReader> {
        return { readRange: (_offset, _length, options) => reader.read(options) }
      }
    },
  },
  {
    fault: 'a missing object is an error of its own',
    foundBy: [
      'a reader of an object that does not exist rejects with OBJECT_MISSING, at its first read at the latest',
    ],
    Driver: class extends Changed {
      protected override changeReader(reader: Reader): Partial<ObjectReader> {
        const fail = (): never => {
          throw new Error('404')
        }
        return { read: (options) => reader.read(options).catch(fail) }
      }
    },
  },
  {
    fault: 'the prefix lacks the id of the backup',
    foundBy: [
      'the prefix contains the id of the backup',
      'two backups of one volume in the same second have prefixes of which neither begins with the other',
    ],
    Driver: class extends MemoryBackupDriver {
      override generateObjectNamePrefix({ volumeId, createdAt }: NewBackup): string {
        return `volume_${volumeId}_${createdAt.getTime()}`
      }
    },
  },
  {
    fault: 'the prefix is another one each time',
    foundBy: ['the prefix depends on the backup alone: it is the same at any time, and in another driver'],
    Driver: class extends MemoryBackupDriver {
      override generateObjectNamePrefix(backup: NewBackup): string {
        return `${super.generateObjectNamePrefix(backup)}_${Math.random()}`
      }
    },
  },
  {
    fault: 'putContainer fails where the container is there',
    foundBy: ['putContainer succeeds on a container that exists, and keeps its objects'],
    Driver: class extends MemoryBackupDriver {
      override async putContainer(container: string, options: StoreOptions): Promise<void> {
        if (this.store.hasContainer(container)) throw new BackupError('CONFLICT', 'It is there.')
        await super.putContainer(container, options)
      }
    },
  },
  {
    fault: 'a container is made by whoever writes into it',
    foundBy: [
      'a writer in a container that does not exist rejects with CONTAINER_MISSING, when it is closed at the latest',
    ],
    Driver: class extends Changed {
      override async getObjectWriter(...args: [string, string, WriterOptions]): Promise<never> {
        this.store.createContainer(args[0])
        return super.getObjectWriter(...args)
      }
    },
  },
  {
    fault: 'extra metadata does not survive JSON',
    foundBy: ['extra metadata is null, or an object that JSON keeps as it is'],
    Driver: class extends MemoryBackupDriver {
      override getExtraMetadata(): Promise<ExtraMetadata> {
        return Promise.resolve({ madeAt: new Date(0) as never })
      }
    },
  },
]
