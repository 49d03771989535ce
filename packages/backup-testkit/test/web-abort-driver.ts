import type {
  ObjectOptions,
  ObjectReader,
  ObjectWriter,
  ReadOptions,
  StoreOptions,
  WriterOptions,
} from '@stowage/backup-core'
import { MemoryBackupDriver } from '../src/index.js'

/** A sound driver that reports aborts in the web's own way: it throws the reason of the signal. */
export class WebAbortDriver extends MemoryBackupDriver {
  override async putContainer(container: string, options: StoreOptions): Promise<void> {
    options.signal?.throwIfAborted()
    await super.putContainer(container, options)
  }

  override async *getContainerEntries(
    container: string,
    prefix: string,
    options: StoreOptions,
  ): AsyncGenerator<string> {
    for await (const name of super.getContainerEntries(container, prefix, {})) {
      options.signal?.throwIfAborted()
      yield name
    }
    options.signal?.throwIfAborted()
  }

  override async *getContainers(options: StoreOptions): AsyncGenerator<string> {
    options.signal?.throwIfAborted()
    yield* super.getContainers({})
  }

  override async getObjectWriter(
    container: string,
    objectName: string,
    { signal, ...options }: WriterOptions,
  ): Promise<never> {
    signal?.throwIfAborted()
    const writer = await super.getObjectWriter(container, objectName, options)
    const changed: ObjectWriter = {
      write: async (bytes) => {
        signal?.throwIfAborted()
        await writer.write(bytes)
      },
      close: async () => {
        signal?.throwIfAborted()
        await writer.close()
      },
      abort: () => writer.abort(),
    }
    return changed as never
  }

  override async getObjectReader(
    container: string,
    objectName: string,
    { signal, ...options }: ObjectOptions,
  ): Promise<never> {
    signal?.throwIfAborted()
    const reader = await super.getObjectReader(container, objectName, options)
    const check = (own: ReadOptions | undefined): void => {
      signal?.throwIfAborted()
      own?.signal?.throwIfAborted()
    }
    const changed: ObjectReader = {
      read: async (own) => {
        check(own)
        return reader.read(own)
      },
      readRange: async (offsetBytes, lengthBytes, own) => {
        check(own)
        return reader.readRange(offsetBytes, lengthBytes, own)
      },
      async *stream(own) {
        check(own)
        for await (const piece of reader.stream()) {
          yield piece
          check(own)
        }
      },
    }
    return changed as never
  }

  override async deleteObject(container: string, objectName: string, options: StoreOptions): Promise<void> {
    options.signal?.throwIfAborted()
    await super.deleteObject(container, objectName, options)
  }

  override async objectExists(
    container: string,
    objectName: string,
    options: StoreOptions,
  ): Promise<boolean> {
    options.signal?.throwIfAborted()
    return super.objectExists(container, objectName, options)
  }

  override async checkForSetupError({ signal }: StoreOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    await super.checkForSetupError()
  }
}
